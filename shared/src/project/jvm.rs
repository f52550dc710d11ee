//! Java and Kotlin: Maven and Gradle, by their wrapper where the project has one.

use super::Commands;
use super::Purpose::{Build, Test, Types};

pub(super) fn jvm(commands: &mut Commands) {
    if commands.files.has("pom.xml") {
        let maven = wrapper(commands, "mvnw").unwrap_or_else(|| "mvn".to_owned());
        commands.add(Test, "maven", "pom.xml", &[&maven, "-B", "test"]);
        commands.add(Types, "maven", "pom.xml", &[&maven, "-B", "test-compile"]);
        commands.add(Build, "maven", "pom.xml", &[&maven, "-B", "-DskipTests", "package"]);
    }
    let builds =
        commands.files.first(&["build.gradle.kts", "build.gradle", "settings.gradle.kts", "settings.gradle"]);
    if let Some(because) = builds {
        let gradle = wrapper(commands, "gradlew").unwrap_or_else(|| "gradle".to_owned());
        commands.add(Test, "gradle", because, &[&gradle, "--console=plain", "test"]);
        commands.add(Build, "gradle", because, &[&gradle, "--console=plain", "assemble"]);
    }
}

fn wrapper(commands: &Commands, name: &str) -> Option<String> {
    commands.files.has(name).then(|| commands.files.path(name).to_string_lossy().into_owned())
}
