//! Messages that are larger than the server takes: the text goes into an object store, and the message says where it is.

use async_nats::jetstream::object_store::{Config, ObjectMetadata, ObjectStore};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::Problem;
use tokio::io::AsyncReadExt;

use super::{KEPT, Link};

/// Room for the headers of a message.
const HEADERS: usize = 4 << 10;

/// How large a piece of an object is where the server would take larger ones.
const PIECE: usize = 128 << 10;

/// What stands in a message instead of its text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    /// The name of the object.
    large: String,
    bytes: u64,
    blake3: String,
}

impl Link {
    /// Returns what to send for a text: itself, or where it is.
    pub(super) async fn fitted(&self, name: &str, text: Vec<u8>) -> Result<Bytes, Problem> {
        if text.len() + HEADERS <= self.client.server_info().max_payload {
            return Ok(text.into());
        }
        let problem = || {
            Problem::new(format!("cannot put {} bytes into the object store of {}", text.len(), self.shown))
        };
        let store = self.store().await.map_err(|error| problem().because(error))?;
        let blake3 = blake3::hash(&text).to_hex().to_string();
        let elsewhere =
            Elsewhere { large: format!("{name}.{}", &blake3[..16]), bytes: text.len() as u64, blake3 };
        // Its pieces are messages too.
        let most = self.client.server_info().max_payload.saturating_sub(HEADERS);
        let object = ObjectMetadata {
            name: elsewhere.large.clone(),
            chunk_size: Some(most.clamp(1, PIECE)),
            ..ObjectMetadata::default()
        };
        let put = store.put(object, &mut text.as_slice()).await;
        put.map_err(|error| problem().because(shared::problem::chain(&error)))?;
        Ok(serde_json::to_vec(&elsewhere).unwrap_or_default().into())
    }

    /// Returns the text of a message, from wherever it is.
    pub(super) async fn whole(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let Ok(elsewhere) = serde_json::from_slice::<Elsewhere>(message) else { return Ok(message.to_vec()) };
        let problem = || {
            Problem::new(format!(
                "cannot get `{}` out of the object store of {}",
                elsewhere.large, self.shown
            ))
        };
        let store = self.store().await.map_err(|error| problem().because(error))?;
        let object = store.get(&elsewhere.large).await;
        let mut object = object.map_err(|error| problem().because(shared::problem::chain(&error)))?;
        let mut text = Vec::new();
        object.read_to_end(&mut text).await.map_err(|error| problem().because(error))?;
        if text.len() as u64 != elsewhere.bytes || blake3::hash(&text).to_hex().as_str() != elsewhere.blake3 {
            return Err(problem().because("it is not what was put there"));
        }
        Ok(text)
    }

    /// Forgets the text of a message that is confirmed.
    pub(super) async fn forget(&self, message: &[u8]) {
        if let Ok(elsewhere) = serde_json::from_slice::<Elsewhere>(message)
            && let Ok(store) = self.store().await
        {
            let _ = store.delete(&elsewhere.large).await;
        }
    }

    async fn store(&self) -> Result<ObjectStore, String> {
        let bucket = format!("{}-large", self.name);
        if let Ok(store) = self.context.get_object_store(&bucket).await {
            return Ok(store);
        }
        let config = Config { bucket, max_age: KEPT, num_replicas: 1, ..Config::default() };
        self.context.create_object_store(config).await.map_err(|error| shared::problem::chain(&error))
    }
}
