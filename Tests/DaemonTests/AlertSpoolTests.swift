import Formats
import Foundation
import Kernel
import Rules
import TestSupport
import Testing

@testable import Daemon

/// The spool by itself: what a crash at each step leaves, and in which order a sink gets it.
@Suite struct AlertSpoolTests {
  private let place: Pipeline
  init() throws { place = try Pipeline([]) }

  private func open(_ sinks: String...) throws -> AlertSpool {
    try AlertSpool.open(in: try Directory(Path(place.path)), sinks: sinks)
  }

  private func incident(_ id: String, _ summary: String = "it happened") -> Incident {
    Incident(
      id: id, kind: .breaker, severity: .halt, pipeline: "p", agent: "a", since: WallTime(nanoseconds: 0), summary: summary,
      cause: ["because"], stopped: [], type: "midwatch resume")
  }

  private func names(_ directory: String) throws -> [String] { try place.names("alerts/\(directory)") }

  /// Takes everything.
  private func drain(_ spool: borrowing AlertSpool, for sink: String) throws -> [String] {
    var seen: [String] = []
    while let message = spool.next(for: sink) {
      let bytes = try spool.take(message)
      let alert = try #require(Alert(bytes))
      let marks = (alert.isLate ? " late" : "") + (alert.isRepeated ? " repeated" : "")
      seen.append("\(alert.incident.id) \(alert.state.rawValue)\(marks)")
      spool.delivered(message)
    }
    return seen
  }

  @Test func eachSinkHasAQueueOfItsOwnByTheTimeOfSpooling() throws {
    let spool = try open("x", "y")
    // Ids begin with the time of the cause, which may be older than another's.
    for id in ["3", "1", "2"] {
      #expect(try spool.fire(incident(id), to: ["x", "y"]))
      Clock.rest(.milliseconds(20))
    }
    #expect(try !spool.fire(incident("1"), to: ["x", "y"]))
    #expect(try drain(spool, for: "x") == ["3 firing", "1 firing", "2 firing"])
    #expect(try spool.end("1", summary: "over", to: ["x", "y"]))
    #expect(try !spool.end("1", summary: "over", to: ["x", "y"]))
    #expect(try drain(spool, for: "x") == ["1 over"])
    #expect(try drain(spool, for: "y") == ["3 firing", "1 over late", "2 firing"])
  }

  /// A message that is in a sink's hands is not drawn into its end; one that waits again is.
  @Test func aBeginningThatIsUnderWayStaysAMessage() throws {
    let spool = try open("x")
    _ = try spool.fire(incident("1"), to: ["x"])
    let next = spool.next(for: "x")
    let message = try #require(next)
    _ = try spool.take(message)
    _ = try spool.end("1", summary: "over", to: ["x"])
    #expect(spool.next(for: "x")?.state == .over)
    #expect(try names("new") == ["1.over.x"])
    spool.failed(message)
    #expect(try drain(spool, for: "x") == ["1 over late"])
  }

  /// Killed between any two of its steps, what was decided is handed out once to each.
  @Test(arguments: [Incident.State.firing, .over], 0...4)
  func aCrashWhileHandingOut(state: Incident.State, step: Int) throws {
    do {
      let spool = try open("x", "y")
      if state == .over {
        _ = try spool.fire(incident("1"), to: ["x", "y"])
        for sink in ["x", "y"] { _ = try drain(spool, for: sink) }
      }
    }
    // As far as it came: the message, a link, the other link, and what it does to `open`.
    let files = FileManager.default
    func path(_ name: String) -> String { place.path("alerts/\(name)") }
    if step >= 1 {
      try Data(incident("1").line(state)).write(to: URL(fileURLWithPath: path("tmp/1")))
    } else {
      try Data(incident("1").line(state).prefix(100)).write(to: URL(fileURLWithPath: path("tmp/1")))
    }
    if step >= 2 { try files.linkItem(atPath: path("tmp/1"), toPath: path("new/1.\(state.rawValue).x")) }
    if step >= 3 { try files.linkItem(atPath: path("tmp/1"), toPath: path("new/1.\(state.rawValue).y")) }
    if step >= 4 {
      if state == .firing {
        try files.moveItem(atPath: path("tmp/1"), toPath: path("open/1"))
      } else {
        try files.removeItem(atPath: path("open/1"))
      }
    }
    let spool = try open("x", "y")
    #expect(try names("tmp") == [])
    // Whoever decided it decides it again after the start.
    if state == .firing {
      #expect(try spool.fire(incident("1"), to: ["x", "y"]) == (step == 0))
    } else {
      #expect(try spool.end("1", summary: "over", to: ["x", "y"]) == (step == 0))
    }
    for sink in ["x", "y"] { #expect(try drain(spool, for: sink) == ["1 \(state.rawValue)"]) }
    #expect(try names("open") == (state == .firing ? ["1"] : []))
  }

  @Test func whatWasInASinksHandsGoesAgainInItsPlaceAndSaysSo() throws {
    do {
      let spool = try open("x")
      for id in ["1", "2"] {
        _ = try spool.fire(incident(id), to: ["x"])
        Clock.rest(.milliseconds(20))
      }
      let next = spool.next(for: "x")
      _ = try spool.take(try #require(next))
    }
    let spool = try open("x")
    #expect(try drain(spool, for: "x") == ["1 firing repeated", "2 firing"])
  }

  @Test func aSinkThatIsGoneIsForgottenAndANewTestReplacesAnOldOne() throws {
    let spool = try open("x", "y")
    _ = try spool.fire(incident("1"), to: ["x", "y"])
    try spool.test(incident("2"), to: ["x"])
    try spool.test(incident("3"), to: ["x"])
    #expect(spool.dropAll(except: ["x"]) == ["y": 1])
    #expect(try drain(spool, for: "x") == ["1 firing", "3 test"])
  }

  /// A line of nobody's, and names that lead out.
  @Test func whatIsNoMessageIsPassedOver() throws {
    _ = try open("x")
    for name in ["new/readme", "new/1.firing", "new/1.firing.x.y", "new/..firing.x", "cur/odd", "tmp/1", "tmp/1.firing.x"] {
      try place.write("alerts/\(name)", "{")
    }
    let spool = try open("x")
    #expect(spool.next(for: "x") == nil)
    #expect(try names("tmp") == [])
    #expect(Incident(try #require(JSON(incident("1", "a\nb\u{1b}\\x0a").line(.firing))))?.summary == #"a\x0ab\x1b\x0a"#)
  }
}
