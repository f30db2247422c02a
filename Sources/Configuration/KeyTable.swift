import Rules

/// Every key there is, each in exactly one line: reading, defaults, `--set`, suggestions,
/// `check-config` and the comments of config/midwatch.conf all come from here.
enum KeyTable {
  /// The keys of the sections other than `[agent NAME]`.
  static var general: [Key<Settings>] {
    var keys: [Key<Settings>] = []
    // At once: each smaller array that it would outgrow leaves a hole in the heap of a watch that runs for months.
    keys.reserveCapacity(64)
    for key in pipeline { keys.append(key.lifted("pipeline", { $0.pipeline }, { $0.pipeline = $1 })) }
    for key in locks { keys.append(key.lifted("locks", { $0.locks }, { $0.locks = $1 })) }
    for key in heartbeats(watch: .list(.templateWithAgent)) {
      keys.append(key.lifted("heartbeats", { $0.heartbeats }, { $0.heartbeats = $1 }))
    }
    for key in outputs(watch: .list(.templateWithAgent)) {
      keys.append(key.lifted("outputs", { $0.outputs }, { $0.outputs = $1 }))
    }
    for key in jobs { keys.append(key.lifted("jobs", { $0.jobs }, { $0.jobs = $1 })) }
    for key in halt { keys.append(key.lifted("halt", { $0.halt }, { $0.halt = $1 })) }
    for key in memory { keys.append(key.lifted("memory", { $0.memory }, { $0.memory = $1 })) }
    for key in leaks { keys.append(key.lifted("leaks", { $0.leaks }, { $0.leaks = $1 })) }
    for key in alert { keys.append(key.lifted("alert", { $0.alert }, { $0.alert = $1 })) }
    return keys
  }

  /// The keys of `[agent NAME]`: its own, and those of two sections for this agent alone.
  static var agent: [Key<AgentSettings>] {
    agentOwn.map { $0.lifted("agent", { $0 }, { $0 = $1 }) }
      + heartbeats(watch: .list(.template)).map { $0.lifted("heartbeats", { $0.heartbeats }, { $0.heartbeats = $1 }) }
      + outputs(watch: .list(.template)).map { $0.lifted("outputs", { $0.outputs }, { $0.outputs = $1 }) }
  }

  /// In the order in which they are printed.
  static let sections = ["pipeline", "locks", "heartbeats", "outputs", "jobs", "halt", "memory", "leaks", "alert"]

  private static var pipeline: [Key<PipelineSettings>] {
    [
      Key(
        "root", .root, { $0.root }, { $0.root = $1 },
        "The pipeline's directory, in full. Every relative path below is looked up in it. The one key that must be set."),
      Key(
        "name", .plainName, { $0.name }, { $0.name = $1 },
        "What alerts call this pipeline. Empty: the last part of root."),
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "The most that any rule may do: on acts, observe only writes down what it would have done, off does nothing."),
      Key(
        "cross-mounts", .flag, { $0.crossMounts }, { $0.crossMounts = $1 },
        "Whether to look into file systems that are mounted below the watched directories."),
    ]
  }

  private static var locks: [Key<LockSettings>] {
    [
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "on removes stale locks, observe only writes down which, off does not look."),
      Key(
        "watch", .list(.lockTemplate), { $0.watch }, { $0.watch = $1 },
        "Where locks appear. * is any part of one name, ** any depth of directories, {task} a part that names the task."),
      Key(
        "stale-after", .span, { $0.policy.staleAfter }, { $0.policy.staleAfter = $1 },
        "A lock this old is removed if no process holds it, has it open or is named in it."),
      Key(
        "dead-owner-grace", .span, { $0.policy.deadOwnerGrace }, { $0.policy.deadOwnerGrace = $1 },
        "A lock whose holder is proved dead is removed this long after the death was noticed, however young it is."),
      Key(
        "ignore", .list(.ignore), { $0.ignore }, { $0.ignore = $1 },
        "Locks never to touch. Without a slash: any file or directory of that name; with one: that place and all below it."),
    ]
  }

  private static func heartbeats(watch: Kind<[PathTemplate]>) -> [Key<HeartbeatSettings>] {
    [
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "on marks silent agents and alerts, observe only writes down which, off does not look."),
      Key(
        "watch", watch, { $0.watch }, { $0.watch = $1 },
        "The file that an agent touches while it lives; {agent} is the part that names the agent."),
      Key(
        "every", .span, { $0.every }, { $0.every = $1 },
        "How often agents touch it."),
      Key(
        "stale-after", .span, { $0.staleAfter }, { $0.staleAfter = $1 },
        "An agent not heard for this long counts as silent."),
      Key(
        "source", .source, { $0.source }, { $0.source = $1 },
        "Where the time of the beat is read: mtime, content (a time in the file) or json:KEY.KEY (a time in a JSON file)."),
      Key(
        "also", .list(.oneOf("something that counts as a beat", HeartbeatSettings.Also.allCases)), { $0.also },
        { $0.also = $1 },
        "What else counts as a beat: outputs, or nothing."),
      Key(
        "expect", .list(.agentName), { $0.expect }, { $0.expect = $1 },
        "Agents that must exist: alert also when one of them was never heard at all."),
    ]
  }

  private static func outputs(watch: Kind<[PathTemplate]>) -> [Key<OutputSettings>] {
    [
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "on halts the pipeline when a limit is broken, observe only writes down that it would, off does not count."),
      Key(
        "watch", watch, { $0.watch }, { $0.watch = $1 },
        "Where outputs appear; {agent} is the part that names the agent, ** any depth of directories."),
      Key(
        "limit", .orOff(.limit), { $0.policy.limit }, { $0.policy.limit = $1 },
        "How many new files one agent may make in a span of time; one more halts the pipeline. Or off."),
      Key(
        "pipeline-limit", .orOff(.limit), { $0.pipeline.limit }, { $0.pipeline.limit = $1 }, scope: .pipeline,
        "The same for all agents together. Or off."),
      Key(
        "similar", .orOff(.limit), { $0.policy.similar }, { $0.policy.similar = $1 },
        "Halt at this many texts that say nearly the same. Or off."),
      Key(
        "ignore", .list(.ignore), { $0.ignore }, { $0.ignore = $1 },
        "Files that are no outputs. Without a slash: any file or directory of that name; with one: that place and all below it. What is written here replaces this list."
      ),
      Key(
        "cool-down", .orOff(.span), { $0.pipeline.coolDown }, { $0.pipeline.coolDown = $1 }, scope: .pipeline,
        "Try again by itself this long after a halt. off waits for a person."),
      Key(
        "probes", .count, { $0.pipeline.probes }, { $0.pipeline.probes = $1 }, scope: .pipeline,
        "How many outputs are let through while trying again; one more halts for twice as long."),
    ]
  }

  private static var jobs: [Key<JobSettings>] {
    [
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "on alerts or halts, observe only writes down what it would have done, off does not look."),
      Key(
        "overlap", .oneOf("what to do about overlaps", JobSettings.Overlap.allCases), { $0.overlap }, { $0.overlap = $1 },
        "A job that starts while the same command of the same user still runs: allow lets both run, skip makes the gate skip the later run."
      ),
      Key(
        "failures", .orOff(.count), { $0.failures }, { $0.failures = $1 },
        "So many failures of one job in a row break the limit. Or off."),
      Key(
        "runs", .orOff(.limit), { $0.runs }, { $0.runs = $1 },
        "How often one job may start in a span of time, as in 30 per 1h. Or off."),
      Key(
        "max-duration", .orOff(.span), { $0.maxDuration }, { $0.maxDuration = $1 },
        "How long one run of a job may take. It is not ended. Or off."),
      Key(
        "then", .oneOf("a consequence", JobSettings.Consequence.allCases), { $0.then }, { $0.then = $1 },
        "What a broken limit of this section leads to: alert, or halt the pipeline."),
    ]
  }

  private static var halt: [Key<HaltSettings>] {
    [
      Key(
        "levers", .list(.oneOf("a lever", HaltSettings.Lever.allCases)), { $0.levers }, { $0.levers = $1 },
        "Ways to stop it: halt writes the file HALT (always needed), gate lets cron start no job, pause or terminate is for running jobs, stop or freeze for units, exec for the program below."
      ),
      Key(
        "scope", .oneOf("a scope", HaltSettings.Scope.allCases), { $0.scope }, { $0.scope = $1 },
        "Whose running jobs are stopped: those of the whole pipeline, or only the offender's."),
      Key(
        "verify-after", .span, { $0.verifyAfter }, { $0.verifyAfter = $1 },
        "If the agent still writes this long after a halt, the next lever is pulled and an alert says so."),
      Key(
        "units", .list(.unit), { $0.units }, { $0.units = $1 },
        "Units of systemd's to stop as well, as in openclaw-gateway.service. They are stopped unless levers says freeze."),
      Key(
        "exec", .command, { $0.exec }, { $0.exec = $1 },
        "A program of yours to start at a halt, by its whole path. No shell reads this line."),
      Key(
        "exempt", .list(.glob), { $0.exempt }, { $0.exempt = $1 },
        "Jobs that a halt never stops, by their whole command line, as in *backup*, *certbot*."),
      Key(
        "keep", .flag, { $0.keep }, { $0.keep = $1 },
        "yes writes HALT again when it was deleted without midwatch resume."),
    ]
  }

  private static var memory: [Key<MemorySettings>] {
    [
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "on alerts and hurries the removal of leaks, observe only writes down what it would have done, off does not look."),
      Key(
        "warn", .percent, { $0.policy.warn }, { $0.policy.warn = $1 },
        "Memory in use from which on it is watched closely; below it a shortage is over."),
      Key(
        "act", .orOff(.percent), { $0.policy.act }, { $0.policy.act = $1 },
        "Memory in use at which leaks are removed without waiting, and the biggest users are told. Or off."),
    ]
  }

  private static var leaks: [Key<LeakSettings>] {
    [
      Key(
        "mode", .mode, { $0.mode }, { $0.mode = $1 },
        "on kills what is proved to be leaked, observe only writes down what it would have killed, off does not look."),
      Key(
        "orphan-browsers", .oneOf("a treatment", [.kill, .report, .off]), { $0.policy.orphanBrowsers },
        { $0.policy.orphanBrowsers = $1 },
        "Headless browsers whose driver is dead: kill, report or off."),
      Key(
        "orphan-children", .oneOf("a treatment", [.kill, .report, .off]), { $0.policy.orphanChildren },
        { $0.policy.orphanChildren = $1 },
        "Renderers and the like whose browser is dead: kill, report or off."),
      Key(
        "abandoned", .oneOf("a treatment", LeakRule.Policy.Treatment.allCases), { $0.policy.abandoned },
        { $0.policy.abandoned = $1 },
        "Old idle pages of a browser in use: kill, act (kill only while memory is above [memory] act), report or off."),
      Key(
        "abandoned-age", .span, { $0.policy.abandonedAge }, { $0.policy.abandonedAge = $1 },
        "How old such a page must be."),
      Key(
        "grace", .span, { $0.policy.grace }, { $0.policy.grace = $1 },
        "How long something must have been found leaked before it is killed. While memory is short there is no grace."),
      Key(
        "confirm", .span, { $0.policy.confirm }, { $0.policy.confirm = $1 },
        "How far apart at least the two looks are that must both find it leaked; also how often to look while a browser runs."),
      Key(
        "browsers", .list(.template), { $0.browsers }, { $0.browsers = $1 },
        "Where programs of browsers lie besides those of Chromium, Google Chrome, Playwright and Puppeteer."),
      Key(
        "helpers", .list(.glob), { $0.helpers }, { $0.helpers = $1 },
        "Programs besides browsers to kill when nothing uses them any more, as in chrome-devtools-mcp, chroma-mcp."),
      Key(
        "leftovers", .oneOf("a treatment", [.report, .off]), { $0.leftovers }, { $0.leftovers = $1 },
        "Profile directories of browsers that are gone: report or off. Nothing is removed."),
      Key(
        "users", .list(.user), { $0.users }, { $0.users = $1 },
        "Whose processes may be killed besides those of root's owner."),
      Key(
        "scan", .span, { $0.policy.scan }, { $0.policy.scan = $1 },
        "How often to look at all processes while no browser is known to run."),
      Key(
        "allow", .list(.glob), { $0.allow }, { $0.allow = $1 },
        "Browsers never to touch, by unit, profile directory or debug port."),
    ]
  }

  private static var alert: [Key<AlertSettings>] {
    [
      Key(
        "exec", .command, { $0.exec }, { $0.exec = $1 },
        "A program of yours, by its whole path, that gets each alert as one line of JSON on its input. No shell reads this line."
      ),
      Key(
        "mail", .list(.mailAddress), { $0.mail }, { $0.mail = $1 },
        "Mail addresses, written to by sendmail."),
      Key(
        "webhook", .repeated(.webhook), { $0.webhook }, { $0.webhook = $1 },
        "ntfy, discord, slack, telegram or json, and then the address, @FILE with the address in it, or @NAME of a credential of systemd's. Repeat the line for more."
      ),
      Key(
        "ping", .endpoint, { $0.ping }, { $0.ping = $1 },
        "An address, @FILE or @NAME with it, that is called while midwatchd lives, so that somebody notices when it is gone."
      ),
      Key(
        "ping-every", .span, { $0.pingEvery }, { $0.pingEvery = $1 },
        "How often that address is called."),
      Key(
        "retry", .span, { $0.retry }, { $0.retry = $1 },
        "How long to wait before an alert that could not be handed over is tried again; twice as long each time, up to 120 times this."
      ),
      Key(
        "timeout", .span(atMost: .seconds(60)), { $0.timeout }, { $0.timeout = $1 },
        "How long a program or a server may take to take an alert, at most 1min. Then it is ended, and tried again."),
    ]
  }

  private static var agentOwn: [Key<AgentSettings>] {
    [
      Key(
        "needs", .list(.agentName), { $0.needs }, { $0.needs = $1 },
        "Agents whose output this one depends on: while one is silent, status/NAME.standalone says so."),
      Key(
        "match", .list(.glob), { $0.match }, { $0.match = $1 },
        "Which processes are this agent's, by their whole command line, as in *agents/content.py*."),
      Key(
        "growth", .orOff(.growth), { $0.growth }, { $0.growth = $1 },
        "How much the files below may grow in a span of time, as in 50M per 10min: a loop that burns tokens and writes no output. More alerts, or halts where [jobs] then says so. Or off."
      ),
      Key(
        "transcripts", .list(.template), { $0.transcripts }, { $0.transcripts = $1 },
        "What grows while this agent works: its transcripts or logs. {agent} is its name."),
    ]
  }
}
