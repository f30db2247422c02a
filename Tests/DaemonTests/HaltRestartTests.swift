import TestSupport
import Testing

/// A halt is one incident, however often midwatchd is started while it stands.
@Suite struct HaltRestartTests {
  private func halted() throws -> Pipeline {
    let pipeline = try Pipeline()
    let daemon = try RunningDaemon(pipeline)
    try pipeline.makeDirectory("outputs/content")
    for number in 1...11 { try pipeline.write("outputs/content/\(number).md") }
    try #require(eventually { !pipeline.journal("halted").isEmpty })
    daemon.kill()
    return pipeline
  }

  @Test func aRestartDoesNotTellOfTheHaltAgain() throws {
    let pipeline = try halted()
    for _ in 1...2 {
      let daemon = try RunningDaemon(pipeline)
      #expect(daemon.stop() == 0)
    }
    #expect(pipeline.journal("halted").count == 1)
    #expect(pipeline.journal("still-halted").count == 2)
    #expect(try pipeline.names(".midwatch/state/alerts/open").count == 1)
    #expect(pipeline.exists("HALT"))
  }

  @Test func aHaltThatWasDeletedWhileItWasDownIsResumed() throws {
    let pipeline = try halted()
    try pipeline.remove("HALT")
    let daemon = try RunningDaemon(pipeline)
    #expect(pipeline.journal("resumed").count == 1)
    #expect(!eventually(within: 1) { pipeline.exists("HALT") })
    #expect(try pipeline.names(".midwatch/state/alerts/open").isEmpty)
    #expect(daemon.stop() == 0)
  }
}
