import Configuration
import Rules
import Testing

@Suite struct PrecedenceTests {
  func texts(_ patterns: [IgnorePattern]) -> [String] { patterns.map(\.text) }

  @Test func theLaterFileCountsAndSetCountsMost() throws {
    let main = "[locks]\nstale-after = 1h\n[locks]\nstale-after = 2h"
    #expect(try settings(main).locks.policy.staleAfter == .seconds(7200))
    #expect(try settings(main, "[locks]\nstale-after=3h").locks.policy.staleAfter == .seconds(10_800))
    #expect(
      try settings(main, "[locks]\nstale-after=3h", set: ["locks.stale-after=10s", "locks.stale-after = 11s"]).locks.policy
        .staleAfter
        == .seconds(11))
  }

  @Test func anEmptyValueBringsTheDefaultBack() throws {
    let all = try settings(
      "[locks]\nstale-after=1h\n[alert]\nexec=/bin/x\n[outputs]\nlimit=off",
      "[locks]\nstale-after=\n[alert]\nexec=\n[outputs]\nlimit =")
    #expect(all.locks.policy.staleAfter == .seconds(1800))
    #expect(all.alert.exec == nil)
    #expect(all.outputs.policy.limit == BreakerRule.Limit(count: 10, span: .seconds(600)))
  }

  @Test func aListReplacesItsDefaultAndGrowsByEveryFurtherLine() throws {
    let main = "[outputs]\nignore = a, b\nignore = b, c"
    #expect(try texts(settings(main).outputs.ignore) == ["a", "b", "c"])
    #expect(try texts(settings(main, "[outputs]\nignore = d").outputs.ignore) == ["a", "b", "c", "d"])
    #expect(try texts(settings(main, "[outputs]\nignore =\nignore = d").outputs.ignore) == ["d"])
    #expect(try settings(main, "[outputs]\nignore =").outputs.ignore == [])
    #expect(try settings(main, "[locks]\nwatch =").locks.watch == [])
  }

  @Test func theFirstSetOfAListReplacesWhatTheFilesSay() throws {
    let main = "[outputs]\nignore = a"
    #expect(try texts(settings(main, set: ["outputs.ignore=b", "outputs.ignore=c"]).outputs.ignore) == ["b", "c"])
    #expect(try settings(main, set: ["outputs.ignore="]).outputs.ignore == [])
  }

  @Test func linesContinueAndCommentsBetweenThemAreLeftOut() throws {
    let text = "; c\n[locks]\nwatch = a/*.lock, \\\n# between \\\n   b/*.lock, \\\r\n\\\n c/x\n# end \\\nmode = off\\"
    let locks = try settings(text).locks
    #expect(locks.watch.map(\.text) == ["a/*.lock", "b/*.lock", "c/x"])
    #expect(locks.mode == .off)
  }

  @Test func theMarkOfAnEditorAndBlanksSayNothing() throws {
    #expect(try settings("\u{FEFF}[ locks ]\r\n\t mode\t=\toff \r\n").locks.mode == .off)
  }

  @Test func aQuestionOfEveryType() throws {
    let all = try settings(
      """
      [pipeline]
      root = //srv//agents/
      cross-mounts = Yes
      [heartbeats]
      source = json:beat.time
      also = outputs
      [outputs]
      limit = off
      cool-down = 1h
      pipeline-limit = 30 per hour
      [jobs]
      failures = off
      runs = 30 per 1h
      max-duration = 2h
      then = halt
      overlap = skip
      [halt]
      units = gw.service
      exec = /bin/stop 'a b'
      levers = halt, terminate
      exempt = *backup*
      [memory]
      act = off
      [leaks]
      abandoned = kill
      users = www-data, 1000
      [alert]
      webhook = slack https://hooks.example/a,b
      webhook = ntfy @/etc/midwatch/ntfy
      ping = https://hc.example/x
      mail = root, me@example.org
      """, root: nil)
    #expect(all.pipeline.root == "/srv/agents")
    #expect(all.pipeline.name == "agents")
    #expect(all.pipeline.crossMounts)
    #expect(all.heartbeats.source == .json(["beat", "time"]))
    #expect(all.heartbeats.outputsCount)
    #expect(all.outputs.policy.limit == nil)
    #expect(
      all.outputs.pipeline
        == BreakerRule.PipelinePolicy(limit: .init(count: 30, span: .seconds(3600)), coolDown: .seconds(3600), probes: 1))
    #expect(all.jobs.failures == nil)
    #expect(all.jobs.runs == .init(count: 30, span: .seconds(3600)))
    #expect(all.jobs.maxDuration == .seconds(7200))
    #expect(all.jobs.then == .halt)
    #expect(all.halt.levers == [.halt, .terminate, .stop, .exec])
    #expect(all.halt.exec?.words == ["/bin/stop", "a b"])
    #expect(all.memory.policy.act == nil)
    #expect(all.leaks.policy.abandoned == .kill)
    #expect(all.leaks.users == ["www-data", "1000"])
    #expect(all.alert.webhook.map(\.text) == ["slack https://hooks.example/a,b", "ntfy @/etc/midwatch/ntfy"])
    #expect(all.alert.webhook.last?.endpoint == .file("/etc/midwatch/ntfy"))
    #expect(all.alert.mail == ["root", "me@example.org"])
  }

  @Test func theModeOfThePipelineCapsEveryOther() throws {
    let text = "[pipeline]\nmode = observe\n[locks]\nmode = off\n[agent a]\noutputs.mode = off"
    let all = try settings(text)
    #expect(all.locks.mode == .off)
    #expect(
      [all.heartbeats.mode, all.outputs.mode, all.jobs.mode, all.memory.mode, all.leaks.mode]
        == Array(repeating: .observe, count: 5))
    #expect(all.heartbeats(for: "a").mode == .observe)
    #expect(all.outputs(for: "a").mode == .off)
    var builder = SettingsBuilder()
    builder.rootOverride = "/p"
    builder.modeCap = .observe
    #expect(try builder.finish().leaks.mode == .observe)
  }

  @Test func theOriginOfAValueIsRemembered() throws {
    var builder = SettingsBuilder()
    try builder.read(Array("[pipeline]\n root = /srv/x".utf8), file: "a.conf")
    #expect(builder.origin(section: "pipeline", key: "root") == "a.conf:2:9")
    #expect(builder.origin(section: "pipeline", key: "name") == nil)
    #expect(builder.origin(section: "cats", key: "name") == nil)
  }
}
