import Configuration
import Rules
import Testing

@Suite struct AgentTests {
  @Test func anAgentHasWhatHoldsForAllButWhatItSaysItself() throws {
    let all = try settings(
      """
      [agent content]
      needs = research, seo
      stale-after = 1h
      limit = 3 per 1h
      ignore = *.log
      [outputs]
      similar = off
      ignore = a
      ignore = b
      [heartbeats]
      every = 10min
      """)
    #expect(all.heartbeats(for: "content").staleAfter == .seconds(3600))
    #expect(all.heartbeats(for: "content").every == .seconds(600))
    #expect(
      all.outputs(for: "content").policy == BreakerRule.Policy(limit: .init(count: 3, span: .seconds(3600)), similar: nil))
    #expect(all.outputs(for: "content").ignore.map(\.text) == ["*.log"])
    #expect(all.outputs(for: "other") == all.outputs)
    #expect(all.heartbeats(for: "other") == all.heartbeats)
    #expect(all.agent(Array("content".utf8))?.needs == [Array("research".utf8), Array("seo".utf8)])
    #expect(all.agent(Array("other".utf8)) == nil)
  }

  @Test func anAgentsOwnFilesNeedNotNameIt() throws {
    let all = try settings("[agent a b]\nheartbeats.watch = run/{agent}.beat, x/beat\noutputs.limit = off")
    let name = Array("a b".utf8)
    #expect(all.heartbeatWatches.map(\.agent) == [nil, name, name])
    #expect(all.outputWatches.map(\.agent) == [nil])
    let own = all.heartbeatWatches.map(\.template)[1]
    #expect(own.components == [.literal(Array("run".utf8)), .literal(Array("a b.beat".utf8))])
    #expect(!own.namesAgent)
    #expect(own.text == "run/{agent}.beat")
    #expect(all.outputs(for: name).policy.limit == nil)
  }

  @Test func theSameTemplateForOneAgentIsStillItsOwn() throws {
    let all = try settings("[agent a]\noutputs.watch = outputs/{agent}/**")
    #expect(all.agents.map(\.hasOwnOutputs) == [true])
    #expect(all.render().contains { $0 == ("agent a", "outputs.watch", "outputs/{agent}/**") })
  }

  @Test func expectedAreThoseNamedForAllAndThoseThatNameThemselves() throws {
    let all = try settings("[heartbeats]\nexpect = a, b\n[agent b]\nexpect =\n[agent c]\nexpect = c\n[agent d]\n")
    #expect(all.expectedAgents == [Array("a".utf8), Array("c".utf8)])
  }

  @Test func setReachesAgentsWhoseNamesHoldDots() throws {
    let all = try settings(
      set: [
        "agent.gpt-4.1.every=1min", "agent.gpt-4.1.heartbeats.watch=x", "agent a.needs=gpt-4.1", "agent.x.outputs.limit=off",
      ])
    #expect(all.agents.map(\.name) == ["gpt-4.1", "a", "x"].map { Array($0.utf8) })
    #expect(all.heartbeats(for: "gpt-4.1").every == .seconds(60))
    #expect(all.heartbeats(for: "gpt-4.1").watch.map(\.text) == ["x"])
    #expect(all.outputs(for: "x").policy.limit == nil)
  }

  @Test func transcriptsAreTheAgentsOwnWhereverTheyLie() throws {
    let all = try settings("[agent a b]\ngrowth = 50M per 10min\n[agent c]\ntranscripts = ~/x/{agent}/*.jsonl, /t/c.log")
    #expect(all.agents.map(\.growth) == [GrowthRule.Limit(bytes: 50 << 20, span: .seconds(600)), nil])
    #expect(all.agents[0].transcripts.map(\.text) == ["logs/{agent}.log", "logs/{agent}/**"])
    #expect(
      all.agents[0].transcripts.map(\.components) == [
        [.literal(Array("logs".utf8)), .literal(Array("a b.log".utf8))],
        [.literal(Array("logs".utf8)), .literal(Array("a b".utf8)), .anyDepth],
      ])
    #expect(all.agents[1].transcripts.map(\.text) == ["~/x/{agent}/*.jsonl", "/t/c.log"])
  }

  @Test func growthWithoutFilesToLookAtIsRefused() {
    #expect(
      complaint(["[agent seo]\ngrowth = 1M per 1h\ntranscripts ="])
        == "f1:2:10: growth has no files to look at; name what grows, as in transcripts = logs/seo.log")
    #expect(complaint(["[agent seo]\ntranscripts ="]) == nil)
  }

  @Test func needsMayNameWhoHasNoSectionAndMeetAgain() throws {
    let all = try settings("[agent d]\nneeds=b,c\n[agent b]\nneeds=a\n[agent c]\nneeds=a")
    #expect(all.agents.count == 3)
  }

  @Test func aLongChainOfNeedsIsNoCircle() throws {
    let text = (0..<1000).map { "[agent a\($0)]\nneeds = a\($0 + 1)\n" }.joined()
    #expect(complaint([text]) == nil)
    #expect(
      complaint([text + "[agent a1000]\nneeds = a999"])
        == "f1:2000:9: a999 needs a1000 needs a999, which is a circle; take one of them away")
  }
}
