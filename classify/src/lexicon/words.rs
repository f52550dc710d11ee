//! The words, as lists. A `_` joins the words of a phrase; a word may stand in several lists.
//!
//! A verb belongs to one act only: the first list that names it. Lists are English, and of the work with
//! software: what is not here is unknown, and that is told rather than guessed over.

use super::{About, Act, Form, Role};

pub(super) const ROLES: &[(Role, &str)] = &[
    (
        Role::DETERMINER,
        "a an the this that these those my our your his her its their some any all each every no another both
         which what whose",
    ),
    (
        Role::PREPOSITION,
        "in on at of for to from with without into onto over under by via per as about between through during
         against within across after before since until than like near off out up down around along behind
         beyond toward towards upon inside outside except",
    ),
    (
        Role::AUXILIARY,
        "is are was were be been being am do does did has have had can could will would shall should may might must
         isn't aren't wasn't weren't doesn't don't didn't hasn't haven't hadn't can't couldn't won't wouldn't
         shouldn't mustn't cannot it's there's that's what's where's who's how's i'm we're they're you're",
    ),
    (
        Role::NEGATION,
        "not never don't dont doesn't doesnt didn't didnt isn't isnt aren't arent wasn't weren't won't wont can't cant
         cannot couldn't wouldn't shouldn't haven't hasn't hadn't without nor neither avoid instead_of rather_than
         no_need_to no_longer but_not not_yet nothing",
    ),
    (
        Role::FILLER,
        "please pls plz kindly just now also ok okay hey hi hello so well then first firstly next finally lastly
         secondly maybe perhaps actually really simply quickly go_ahead_and try_to help_me_to help_me help
         let's lets let_us could_you can_you would_you will_you can_u could_you_please can_you_please
         would_you_mind thanks thank_you cheers i_want_you_to i_would_like_you_to i'd_like_you_to i_need_you_to
         i_want_to i_need_to i_would_like_to i'd_like_to i'd_love_to we_need_to we_want_to we_should we_must you_should
         you_need_to you_must need_to want_to have_to we_have_to i_have_to it_is_necessary_to remember_to be_sure_to
         your_task_is_to your_job_is_to the_goal_is_to the_task_is_to your_goal_is_to continue_to start_to
         begin_to proceed_to feel_free_to as_well as_well_as of_course todo fixme wip",
    ),
    (Role::JOIN, "and then or afterwards after_that and_then plus followed_by & but"),
    (Role::PERSON, "i we you they he she it me us them someone somebody anyone one everyone users i'm we're i've we've"),
    (
        Role::SUBORDINATE,
        "that which who whom whose if when whether while because since so_that where until unless although though
         once whenever wherever in_order_to",
    ),
    (
        Role::NOUN_TOO,
        "test tests build builds check checks list lists log logs format formats document documents comment comments
         cache caches design designs plan plans review reviews release releases count counts support supports change
         changes display view views lint report reports update updates upgrade fix fixes patch patches commit commits
         merge tag tags branch start run runs set sets filter filters style styles search searches show sort load
         store stores parse wrap reset limit limits force return returns import imports export exports print
         copy archive download downloads mount profile trace model structure process file install hook hooks
         query queries request requests answer answers benchmark refactor cleanup switch benchmarks draft stop open
         push pull diff blame handle handles audit deploy",
    ),
    (Role::ASKS, "what where who when which why how whats wheres what's where's how's who's"),
    (
        Role::WANTS,
        "want wants need needs wish would_like i'd_like would_love looking_for would_be_nice would_be_great
         would_be_good would_be_useful would_be_helpful would_be_cool feature_request proposal request idea
         suggestion ability_to option_to possibility_to support_for add_support_for nice_to_have",
    ),
    (Role::DEMANDS, "should must needs_to has_to ought_to shall need_to_be should_be must_be"),
    (Role::MEANS, "using via by with based_on according_to following by_using by_means_of"),
    (
        Role::HAPPENS,
        "fails fail failed failing crashes crash crashed crashing breaks broke broken hangs hang hung freezes froze
         throws threw thrown raises happens happened occurs occurred appears disappears disappear disappeared stops
         stopped stays remains works worked working behaves gets got keeps becomes returns seems looks shows leaks
         panics panicked segfaults overflows takes overlaps flickers loses lost shifts produces causes",
    ),
    (
        Role::NONE,
        "more most other others such same new old own own only very too still again even here there many much few
         several both last current currently latest existing default different following given right left top
         bottom low good great nice bad correct possible available able way ways thing part parts case cases
         time times day days week weeks month today yesterday tomorrow year years hour minute number numbers
         name names named line lines word words text content contents data value values title titles label labels
         page pages screen user users customer customers client clients server servers app apps application
         applications program programs project projects product products team people person everyone using used
         use uses want like know think see saw look looks looking something someone done make makes made making
         have having get gets getting got give gives given take takes taking put set sets setting settings go goes
         going come comes coming work works working need needs needed keep keeps let one two three four five six
         seven eight nine ten first second third next previous once twice always often than because however
         instead yes no not true false null none empty full small big large long short high open closed start
         end ends begin beginning main change changes changed version versions issue issues problem problems
         question questions answer answers example examples note notes info information detail details reason
         result results output outputs input inputs error errors message messages work it's its he him her us
         if else when what etc e.g i.e vs per still yet ago soon sure enough else ever never only out back well
         every each while during about above below between under over next around another allow allows allowed
         based via per also already currently recently previously properly correctly automatically manually
         directly instead please thanks hello dear welcome attached thank regarding whole kind type types sort
         side color colour colors size width height red blue green black white dark light mode theme",
    ),
];

/// Words that hold other languages together, where English has no such word.
pub(super) const FOREIGN: &str = "der das und nicht ist ein eine einen einem einer den dem des mit für auf zu zum zur von im bitte
     le les des une est pas pour dans avec sur et du au aux qui que sont cette ce el los las una para con por del en se
     il lo gli dei che per di della nel sono um uma não com dos das ao het een niet van voor zijn att och inte som är
     till jest nie się dla na ve bir için bu olarak den ett ja että ei";

pub(super) const ABOUT: &[(About, &str)] = &[
    (
        About::DOCS,
        "technical_documentation technical_docs api_docs api_documentation api_reference user_guide architecture_doc
         architecture_docs reference_documentation protocol_documentation readme readmes changelog changelogs docs doc documentation docstring docstrings comment comments jsdoc
         javadoc rustdoc godoc doxygen wiki faq contributing license licence licenses copyright guide guides
         tutorial tutorials manual howto handbook release_notes code_of_conduct markdown badge badges man_page
         man_pages inline_comments type_hints_in_docstrings news.md news todo_list glossary screenshots screenshot
         cheatsheet docblock docblocks phpdoc wording sphinx mkdocs docusaurus readthedocs",
    ),
    (
        About::TYPO,
        "typo typos typpo spelling misspelling misspelled misspelt grammar grammatical punctuation wording
         capitalization capitalisation typographical",
    ),
    (
        About::TRIVIAL,
        "whitespace white_space trailing_whitespace indentation indent formatting newline newlines semicolon semicolons
         prettier fmt rustfmt gofmt clang-format black isort linter lints lint_warnings lint_errors lint_issues compiler_warnings
         unused unused_import unused_imports unused_variable unused_variables dead_code gitignore
         .gitignore editorconfig .editorconfig copyright copyright_year license_header boilerplate placeholder
         hello_world debug_output print_statement print_statements console.log debug_print
         debug_prints blank_line blank_lines empty_line empty_lines line_length tabs codeowners dependabot
         commented_out_code leftover stray log_message log_messages nit nits cosmetic
         version_bump version_number version_string lockfile lock_file cargo.lock package-lock.json yarn.lock",
    ),
    (
        About::TESTS,
        "test tests testing testcase testcases test_case test_cases unit_test unit_tests unittest unittests test_suite
         testsuite spec specs e2e end-to-end_tests integration_test integration_tests regression_test regression_tests
         coverage fixture fixtures mocks snapshot_tests smoke_test smoke_tests pytest jest vitest mocha junit cypress
         playwright tox nextest doctests doctest",
    ),
    (
        About::CHECKS,
        "build builds lint linter linting lints eslint clippy ruff flake8 pylint mypy tsc typecheck type_check
         type_checks typechecker type-check compilation compile compiler_warnings formatter format_check
         type_errors lint_errors shellcheck hadolint actionlint yamllint golangci-lint pre-commit prettier
         checkstyle rubocop stylelint ci_checks test_suite static_analysis sonar codecov",
    ),
    (
        About::LOOKUP,
        "file files directory directories folder folders line lines definition definitions usage usages
         occurrence occurrences import imports reference references function functions method methods class classes
         version versions path paths symbol symbols struct structs variable variables constant constants endpoint
         endpoints route routes module modules package packages todo todos structure tree list name names entry
         point entry_point callers caller call_sites places place location declaration field fields env_var
         environment_variables settings config configuration schema model models table tables framework frameworks
         library libraries language port number size license author authors branch branches commit commits status
         column columns",
    ),
    (
        About::CODE,
        "function functions method methods class classes module modules component components endpoint endpoints
         route routes handler handlers controller controllers service services api apis page pages button buttons
         form forms widget widgets helper helpers hook hooks middleware plugin plugins parser script scripts
         command commands cli flag flags option options interface interfaces type types struct structs enum enums
         trait traits macro macros query queries model models view views template templates code codebase
         implementation logic feature features crud pagination validation sorting filtering login logout signup
         dialog modal menu dropdown navbar sidebar header footer layout chart table list game bot app website site
         webapp program calculator application server client wrapper factory constructor decorator callback
         iterator loop array string dict dictionary object variable variables parameter parameters argument
         arguments constant event events error_handling backend frontend sdk library adapter driver util utility
         regex expression statement exporter importer converter generator serializer widget checkbox",
    ),
    (
        About::ARCHITECTURE,
        "architecture architectures architectural microservice microservices monolith monolithic multi-tenant
         multitenant multi-tenancy multitenancy event-driven event_sourcing cqrs system_design high-level_design
         domain_model scalability scalable plugin_system plugin_architecture modular_architecture
         message_bus event_bus message_broker service_mesh api_gateway data_model bounded_contexts hexagonal
         clean_architecture layering abstraction_layer tech_stack technology_stack infrastructure_design
         roadmap migration_strategy sharding state_management system-wide orchestration adr design_doc
         technical_design storage_engine query_engine rendering_engine permission_model",
    ),
    (
        About::SECURITY,
        "security secure insecure auth authentication authenticate authenticated authorization authorisation authorize
         oauth oauth2 oidc saml sso jwt login_flow permission permissions rbac acl access_control encryption encrypt
         encrypted decrypt decryption cryptography cryptographic crypto tls ssl certificate certificates csrf xss
         cors csp hashing bcrypt argon2 session_management 2fa mfa two-factor sandbox sandboxing sanitize
         sanitization password passwords credential credentials signature signatures x509 keychain openssl
         privilege privileges trust untrusted",
    ),
    (
        About::VULNERABILITY,
        "vulnerability vulnerabilities vulnerable exploit exploits exploitable cve cves attack attacks attacker pentest
         penetration_test penetration_testing threat threats threat_model threat_modeling injection sql_injection xss
         csrf ssrf rce remote_code_execution privilege_escalation path_traversal directory_traversal
         buffer_overflow use-after-free use_after_free double_free out-of-bounds out_of_bounds
         heap_overflow security_hole security_holes security_audit security_analysis security_assessment
         security_review vulnerability_assessment timing_attack side_channel redos data_leak data_breach backdoor",
    ),
    (
        About::CONCURRENCY,
        "race_condition race_conditions data_race data_races deadlock deadlocks deadlocked livelock concurrency
         concurrent concurrently thread_safety thread-safe thread-safety thread_safe threading multithreading
         multithreaded multi-threaded mutex mutexes semaphore lock-free lockfree wait-free atomics memory_ordering
         starvation locking racy races reentrancy reentrant out_of_order in_parallel parallelism
         synchronization synchronisation async_runtime event_loop scheduler",
    ),
    (
        About::PERFORMANCE,
        "performance perf slow slower slowly slowness latency throughput memory_usage memory_consumption cpu_usage
         bottleneck bottlenecks hot_path hotspot hotspots too_slow takes_too_long takes_forever speed faster fast
         efficient efficiency inefficient response_time load_time startup_time memory_footprint bundle_size
         timeouts lag laggy sluggish complexity oom out_of_memory",
    ),
    (
        About::ALGORITHM,
        "algorithm algorithms algorithmic heuristic heuristics np-hard optimizer solver graph_traversal
         dynamic_programming shortest_path topological consensus raft paxos crdt crdts merkle interpolation
         convolution backpropagation gradient matrix_factorization fft numerical simulation convergence
         compression_scheme scheduling_algorithm ranking recommender recommendation_engine type_inference
         garbage_collector garbage_collection constraint_solver bloom_filter data_structure data_structures
         neural_network machine_learning_model transformer attention",
    ),
    (
        About::SUBTLE,
        "intermittent intermittently sporadic sporadically randomly occasionally sometimes once_in_a_while
         now_and_then from_time_to_time heisenbug non-deterministic nondeterministic nondeterminism
         non-determinism unpredictable unpredictably cannot_reproduce can't_reproduce hard_to_reproduce
         not_reproducible unreproducible no_idea_why no_idea cause_unknown unknown_cause no_stack_trace
         no_error_message no_errors without_any_error for_no_reason no_apparent_reason mysterious mysteriously
         unexplained weird strange strangely somewhere subtle subtly silently under_load only_in_production
         only_in_prod in_production_only but_not_in every_few_hours every_now_and_then after_a_while
         after_several_hours after_hours silent_corruption corrupted corruption corrupts heap_corruption
         memory_corruption unknown_reason unclear_why don't_know_why",
    ),
    (
        About::TRACE,
        "traceback stacktrace stack_trace stack_traces backtrace error_message error_messages following_error
         this_error error_below exception_message log_output error_log core_dump crash_log
         undefined_reference segfault segmentation_fault null_pointer nullpointerexception npe attributeerror
         keyerror indexerror typeerror valueerror undefined exit_code status_code 404 500 403 401 502 503 enoent
         panic panics assertion_failed permission_denied no_such_file not_found cannot_find unresolved",
    ),
    (
        About::BUG,
        "bug bugs bugfix bugfixes buggy crash crashes crashed crashing broken breaks breakage fails failing failed
         failure failures failed_to fails_to incorrect incorrectly wrong wrongly regression regressions hang hangs
         hanging freeze freezes freezing unresponsive defect defects misbehaves misbehaving malfunction glitch glitches
         flaky flakiness leak leaks leaking memory_leak memory_leaks segfault segfaults overflow overflows unexpected
         unexpectedly inconsistent duplicated missing exception exceptions error errors stuck not_working
         doesnt_work garbled truncated overlap overlapping overlaps misaligned off-by-one off_by_one stale infinite_loop
         problem problems issue issues faulty invalid unable_to nan panics corrupt corrupted infinite_recursion
         mismatch conflicts_with disappears disappear flicker flickering crashing_on",
    ),
    (
        About::CAUSE,
        "cause causes caused causing root_cause why reason reasons explanation source_of_the culprit where_it_comes_from
         what_causes what_is_causing what's_causing leads_to wrong what_went_wrong what_goes_wrong",
    ),
    (
        About::PRODUCTION,
        "production prod live_site live_system live_server live_database live_users on_live mainnet customers
         real_users outage downtime incident sla data_center",
    ),
    (
        About::DATA,
        "database databases db postgres postgresql mysql mariadb sqlite mongodb mongo redis dynamodb cassandra sql
         tables backup backups records rows user_data customer_data persisted volume volumes bucket
         buckets storage dataset data_loss warehouse migrations s3 etcd data elasticsearch",
    ),
    (
        About::LOSS,
        "wipe wipes wiped erase erases erased destroy destroys destroyed irrecoverable
         data_loss lose_data losing_data drop_database rm_-rf shred
         reset_--hard force_push force-push force-pushes push_--force --force overwrite_history rewrite_history
         rewriting_history hard_reset terraform_destroy kubectl_delete format_the_disk mkfs dd_if delete_all_users
         delete_everything unrecoverable permanently",
    ),
    (
        About::IRREVERSIBLE,
        "irreversible irreversibly permanently cannot_be_undone can't_be_undone no_rollback one-way no_way_back
         no_backup force-push unrecoverable",
    ),
    (
        About::MONEY,
        "payment payments billing invoice invoices invoicing checkout stripe paypal refund refunds subscription
         subscriptions ledger accounting tax taxes payout payouts wallet wallets bitcoin ethereum blockchain
         smart_contract smart_contracts token_transfer transaction_fee utxo mempool coinbase trading escrow balance
         balances money consensus_rules credit_card credit_cards descriptor descriptors payroll",
    ),
    (
        About::PERSONAL,
        "pii gdpr hipaa personal_data personal_information privacy medical patient patients health_records ssn
         user_data customer_data email_addresses compliance right_to_be_forgotten",
    ),
    (
        About::RELEASE,
        "release releases deployment deployments deploy deploys rollout publish publishing rollback hotfix canary
         go-live cutover snapshot release_candidate rc",
    ),
    (
        About::LOOKS,
        "color colour colors colours font fonts size width height padding margin margins title titles label labels text
         background border spacing alignment opacity radius icon placeholder caption heading headline headlines
         subtitle tooltip logo favicon name position z-index font-size font-weight",
    ),
    (About::CACHE, "cache caches caching cached memoization memoize cache_invalidation cdn"),
    (
        About::WHOLE,
        "whole entire entirely codebase code_base overall everything everywhere across all_of_the throughout project-wide
         the_project complete completely full repo repository repo-wide codebase-wide all_files all_modules
         all_services every_file every_module end-to-end end_to_end from_scratch from_the_ground_up
         comprehensive comprehensively",
    ),
    (
        About::VAGUE,
        "better nicer improve improved improvements improvement enhance enhanced enhancements something somehow stuff
         things thing various misc miscellaneous some everything whatever anything cleaner prettier cool awesome
         modern professional robust properly user-friendly it etc several nice intuitive",
    ),
    (
        About::INTERFACE,
        "ui ux button buttons page pages screen screens layout layouts css style styling styles color colors colour
         colours font fonts icon icons margin padding header footer navbar sidebar menu menus modal dialog popup
         tooltip dropdown checkbox theme dark_mode light_mode responsive mobile desktop animation animations
         gradient gradients landing_page homepage dashboard form forms input_field frontend front-end card cards
         tab panel toolbar logo favicon hover placeholder spinner toast window tray table_view listview",
    ),
    (
        About::BREAKING,
        "breaking breaking_change breaking_changes backward_compatibility backwards_compatibility
         backward_compatible backwards_compatible backward-compatible backwards-compatible public_api abi
         incompatible compatibility major_version deprecate deprecation",
    ),
    (
        About::DEPENDENCY,
        "dependency dependencies deps dep package packages lib libs library libraries npm yarn pip cargo
         gem gems nuget submodule submodules requirements requirement requirements.txt package.json cargo.toml go.mod
         pom.xml gemfile pyproject.toml crate crates vendored toolchain msrv snapshot plugin actions/checkout
         actions/cache actions/setup-node actions/setup-python third-party third_party dependabot renovate",
    ),
    (
        About::VCS,
        "git commit commits branch branches pr prs pull_request pull_requests merge rebase stash tag tags head origin
         upstream remote diff status reflog git_log git_status git_diff git_blame working_tree history master
         remote-tracking_branch merge_request merge_requests",
    ),
    (
        About::CI,
        "ci cd ci/cd github_actions github_action workflow workflows travis circleci jenkins gitlab-ci gitlab_ci
         azure_pipelines appveyor pipeline pipelines continuous_integration continuous_delivery continuous_deployment
         .travis.yml jenkinsfile tox.ini makefile cmake cmakelists.txt buildkite nightly",
    ),
    (
        About::NOVEL,
        "novel invent invented research new_algorithm new_protocol own_protocol custom_protocol from_first_principles
         state_of_the_art prototype experimental proof_of_concept formally formal_proof prove proof",
    ),
    (
        About::DISTRIBUTED,
        "distributed cluster clusters clustering replication replicated replica replicas failover high_availability
         leader_election eventual_consistency consistency_model partition_tolerance multi-region multi_region
         exactly-once exactly_once load_balancing load_balancer two-phase_commit saga sagas sharded quorum
         zero-downtime zero_downtime",
    ),
    (
        About::FILE,
        "file files all_files directory directories folder folders subdirectory subdirectories subfolders symlink symlinks
         symbolic_links process processes archive archives tarball disk .txt .gz .log .jpg .pdf .zip .tar.gz log_files
         log_file text_file",
    ),
    (
        About::SHELL,
        "recursively current_directory current_folder current_working_directory home_directory subdirectories
         subdirectory subfolders sub-directories sub-folders stdin stdout stderr tarball symlink symlinks symbolic_link
         symbolic_links pid crontab cron hostname environment_variable environment_variables older_than newer_than
         larger_than smaller_than bigger_than ending_in ending_with with_extension with_the_extension all_files
         all_the_files all_directories all_folders in_place remote_host remote_server remote_machine ssh scp sudo
         file_permissions executable_permission zip_file text_file csv_file log_files hidden_files empty_directories
         empty_files each_line every_line first_line last_line first_column second_column third_column tab-separated
         comma-separated port gzip bzip2 gpg chmod background_process current_shell bash_prompt terminal shell_history
         running_processes disk_space disk_usage free_memory uptime ip_address mac_address users_logged_in logged_in_users
         ascending descending lowercase uppercase whitespaces .o .tmp .bak group_ownership owner inode inodes
         file_names file_name in_variable into_variable to_variable variable_to shell_option shell_options bash_option per_line
         on_the_system screen_session tmux_session mount_point file_system filesystem hard_link",
    ),
    (
        About::SERVICE,
        "server app application service daemon container containers process dev_server docker postgres redis
         worker program binary",
    ),
    (About::MIGRATION, "migration migrations migrate alembic flyway liquibase schema_change schema_changes"),
    (About::SCHEMA, "schema schemas data_model er_diagram normalization table tables"),
    (
        About::INSIGHT,
        "technical_documentation technical_docs technical_writing api_docs api_documentation api_reference guide guides
         tutorial tutorials manual handbook design_doc architecture_doc architecture_docs user_guide specification
         reference_documentation protocol_documentation walkthrough whitepaper",
    ),
    (
        About::SECRET,
        "secret secrets api_key api_keys private_key private_keys credential credentials
         access_token access_tokens ssh_key ssh_keys encryption_key encryption_keys signing_key signing_keys",
    ),
    (
        About::LOW_LEVEL,
        "kernel allocator assembly assembler jit codegen llvm compiler compilers interpreter bytecode simd intrinsics
         register registers syscall syscalls driver drivers firmware bootloader interrupt dma mmu page_table
         memory_model linker vtable garbage_collector gc refcount refcounting lifetime lifetimes unsafe abi
         scheduler hypervisor virtio ebpf gpu cuda opencl vulkan shader shaders verifier ssa ir backend_codegen
         optimizer_pass heap memory_management vm alloc malloc",
    ),
    (
        About::FRAMEWORK,
        "react angular vue svelte django flask rails spring laravel symfony express nextjs next.js nuxt node node.js
         python2 python3 .net dotnet webpack vite babel typescript kubernetes electron qt gtk tensorflow pytorch
         hibernate gradle maven bootstrap tailwind jquery rxjs redux ember java php ruby python swift kotlin
         android ios terraform ansible graphql fastapi sqlalchemy spring_boot",
    ),
    (
        About::LANGUAGE,
        "javascript typescript js ts python rust go golang java kotlin swift php ruby perl c c++ cpp c# csharp scala
         haskell elixir clojure fortran cobol coffeescript bash powershell",
    ),
    (About::ENVIRONMENT, "staging local locally localhost sandbox dev qa production prod preprod pre-production"),
    (About::LARGE, "large huge massive millions thousands billions scale large-scale many_users big_data terabytes high_load"),
    (
        About::ANALYSIS,
        "code_review security_review security_audit security_analysis security_assessment vulnerability_assessment
         penetration_test pentest analysis analyses assessment audit evaluation investigation postmortem post-mortem threat_model
         trade-offs tradeoffs tradeoff trade-off pros_and_cons feasibility comparison post_mortem",
    ),
    (
        About::APPROACH,
        "approach approaches strategy strategies best_way best_approach best_practice best_practices right_way
         alternatives recommendation recommendations proposal decision which_approach tradeoffs trade-offs
         plan better_way architecture_decision options_for",
    ),
    (About::CONFLICT, "conflict conflicts merge_conflict merge_conflicts conflicting"),
    (
        About::CROSS,
        "cross-cutting interdependent interdependencies coordinated all_services all_layers multiple_services
         multiple_modules several_modules several_services all_modules each_service every_service across_all
         across_the_codebase across_multiple across_services system-wide subsystem subsystems
         cross-platform interplay end-to-end both_backend_and_frontend",
    ),
    (
        About::FEATURE,
        "feature features support option options ability possibility enhancement proposal request wish setting
         settings toggle shortcut integration extension capability",
    ),
    (About::FIELD, "column field property attribute param parameter argument flag key row index label placeholder"),
    (
        About::QUALITY,
        "quality maintainability readability readable safe correct correctness secure thread-safe idiomatic solid
         sound well good robust tested covered clean best_practices bad smells code_smells code_smell technical_debt
         tech_debt efficient production-ready complete sufficient reliable",
    ),
    (
        About::INFRASTRUCTURE,
        "kubernetes k8s terraform helm ansible aws gcp azure cloud docker dockerfile docker-compose nginx dns vpc iam
         load_balancer firewall ingress infrastructure infra cloudformation lambda serverless vm vms monitoring
         prometheus grafana",
    ),
    (
        About::PROTOCOL,
        "protocol protocols wire_format rest graphql grpc websocket websockets protobuf http api apis rpc soap webhook webhooks mqtt tcp udp quic
         http/2 http2",
    ),
    (
        About::SMALL,
        "minor small tiny trivial simple quick little one-line one-liner nit cosmetic hello_world dummy
         straightforward",
    ),
    (About::PATCH, "pr prs pull_request pull_requests patch diff changes changeset merge_request staged_changes branch"),
    (
        About::WORKING,
        "work works working pass passes passing start starts compile compiles succeed succeeds load loads run runs
         boot boots respond responds green fail fails failing render renders build builds launch launches",
    ),
];

pub(super) const ACTS: &[(Act, &str)] = &[
    (
        Act::Find,
        "find search grep locate list show count display print look_up look_for look_at view read open cat enumerate
         identify get give_me give tell_me tell retrieve lookup see point_me_to browse scan query output ls
         show_me pinpoint recall report_on extract_lines",
    ),
    (
        Act::Explain,
        "explain describe summarise summarize clarify outline walk_me_through understand compare tell_me_about teach
         walk_through elaborate interpret learn_about give_an_overview_of paraphrase recap",
    ),
    (Act::Check, "check verify confirm double-check see_if check_if check_whether validate"),
    (
        Act::Run,
        "run rerun re-run execute build compile lint typecheck type-check test start launch install serve benchmark
         restart rebuild re-build recompile invoke relaunch",
    ),
    (
        Act::Vcs,
        "commit push pull checkout check_out rebase stash clone merge revert cherry-pick tag blame diff squash fork
         git back_out unstage cherrypick force-push force_push git_add git_log git_status git_diff git_blame git_show git_push git_pull",
    ),
    (
        Act::Shell,
        "log_in_to log_into login_to sign_in_to unset wait sleep copy compress archive unzip zip gunzip gzip chmod chown kill download upload mount unmount ssh scp rsync ping
         curl wget symlink tar untar concatenate mv cp rm mkdir touch unpack decompress echo pipe redirect
         backup back_up",
    ),
    (
        Act::Document,
        "document comment annotate proofread reword rephrase spellcheck spell-check doc redocument",
    ),
    (
        Act::Add,
        "add implement create write make develop introduce insert append provide enable allow support expose handle
         integrate connect generate include scaffold code program accept permit implement_a draw embed attach
         register wire_up hook_up plug_in let prepend emit export import auto-generate autogenerate extend
         preserve detect offer craft re-add readd upsert bring_back produce stub mock cover simulate",
    ),
    (
        Act::Change,
        "change update modify adjust tweak edit set switch replace toggle rework alter convert translate align center
         centre style hide wrap escape parse render return skip ignore exclude limit restrict filter load save store
         log send reset keep pass put turn apply prevent avoid stop ensure make_sure respect treat force reuse close
         use reduce increase lower raise sort group order bind cast clamp round trim normalize normalise serialize
         deserialize cache encode decode validate_input mark move_to swap sync refresh reload override honor honour
         throw catch default pin_to assign call mention prefer expand shorten disallow relax tighten bring
         scale resize recognize recognise retry defer delay inject propagate promote_to do restore re-enable reenable
         regenerate exit check_for sanitize calculate compute measure estimate minimize minimise decrease cut prepare select collect rely disable suppress silence warn specify complete finish
         initialize initialise don't_use synchronize match cap widen narrow guard unify_names share
         reject construct standardize standardise parametrize strip accept recompute not_use preprocess repeat insert_into carry_out perform conduct populate lazy-load lazy_load separate combine flip invert rotate revoke",
    ),
    (
        Act::Remove,
        "remove delete drop clean_up cleanup clean purge strip uninstall get_rid_of discard prune wipe erase
         deprecate destroy eliminate truncate unexport retire nuke clear",
    ),
    (
        Act::Refactor,
        "refactor rename move extract inline restructure reorganize reorganise split simplify deduplicate consolidate
         unify decouple rewrite modularize tidy tidy_up encapsulate abstract generalize generalise isolate factor_out
         break_up break_down reorder reformat format dedupe re-organize nest unnest hoist relocate de-duplicate",
    ),
    (
        Act::Fix,
        "fix repair resolve correct patch solve address hotfix bugfix fixup fix_up remedy workaround work_around
         rectify unbreak",
    ),
    (Act::Upgrade, "upgrade bump downgrade pin unpin roll update_to update_dependency"),
    (Act::Migrate, "migrate port transition migrate_to move_away_from rewrite_in switch_over move_to_the"),
    (
        Act::Setup,
        "set_up setup configure bootstrap dockerize containerize provision set_up_a establish",
    ),
    (
        Act::Improve,
        "improve enhance polish modernize beautify refine revamp overhaul strengthen harden streamline",
    ),
    (Act::Optimize, "optimize optimise speed_up accelerate parallelize parallelise vectorize micro-optimize"),
    (
        Act::Review,
        "review audit assess evaluate critique inspect analyse analyze examine vet judge code_review rate scrutinize",
    ),
    (
        Act::Debug,
        "debug diagnose troubleshoot investigate figure_out find_out track_down reproduce trace profile work_out
         get_to_the_bottom_of look_into hunt_down root-cause isolate_the_cause narrow_down",
    ),
    (
        Act::Design,
        "design architect redesign rearchitect re-architect re-design plan propose decide choose recommend suggest
         brainstorm devise strategize rethink conceive come_up_with structure reimagine re-think envision model
         determine_how sketch",
    ),
    (Act::Deploy, "deploy release publish ship roll_out promote rollback roll_back redeploy go_live"),
];

pub(super) const IRREGULAR: &[(Act, Form, &str)] = &[
    (Act::Add, Form::Past, "wrote written made built drew drawn"),
    (Act::Find, Form::Past, "found got gave told saw shown"),
    (Act::Run, Form::Past, "ran"),
    (Act::Change, Form::Past, "sent kept threw thrown caught chose took put set reset"),
    (Act::Design, Form::Past, "chosen"),
    (Act::Refactor, Form::Past, "rewrote rewritten"),
    (Act::Refactor, Form::Past, "split"),
    (Act::Setup, Form::Past, "set_up"),
    (Act::Refactor, Form::Third, "simplifies"),
];
