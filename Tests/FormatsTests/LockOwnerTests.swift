import Formats
import Rules
import TestSupport
import Testing

/// The zoo of docs/locks: every way in which programs say who owns a lock.
@Suite struct LockOwnerTests {
  static let boot = LockOwner.BootID(high: 0x0123_4567_89AB_4CDE, low: 0x8F01_2345_6789_ABCD)
  /// (boot << 64) | 987654, as Python prints it.
  static let token = "TOKEN"

  @Test(
    arguments: [
      ("123\n", LockOwner(pid: 123, format: .barePid)),
      ("123", LockOwner(pid: 123, format: .barePid)),
      ("      1234 \t\r\n", LockOwner(pid: 1234, format: .barePid)),
      ("4194304\n", LockOwner(pid: 4_194_304, format: .barePid)),
      ("77\nclaimed by seo\n", LockOwner(pid: 77, format: .barePid)),
      ("77\nbox\n", LockOwner(pid: 77, format: .barePid)),
      (
        "4242\nbox-1.example.com\n\(token)\n",
        LockOwner(pid: 4242, format: .softFileLock, host: "box-1.example.com", startTicks: 987_654, bootID: boot)
      ),
      ("4242\nbox\n987654\n", LockOwner(pid: 4242, format: .softFileLock, host: "box", startTicks: 987_654)),
      (
        "4242\nbox?pidns-4026532201\n5\n",
        LockOwner(pid: 4242, format: .softFileLock, host: "box?pidns-4026532201", startTicks: 5)
      ),
      // Cut short, or `date +%s`: either would prove a live owner recycled.
      ("4242\nbox\n98765", LockOwner(pid: 4242, format: .barePid)),
      ("4242\nbox\n1763694131\n", LockOwner(pid: 4242, format: .barePid)),
      ("4242\nbox\n12x\n", LockOwner(pid: 4242, format: .barePid)),
      ("4242\nbox\n7\nmore\n", LockOwner(pid: 4242, format: .barePid)),
      ("4242\nmy box\n7\n", LockOwner(pid: 4242, format: .barePid)),
      ("4242\nbox\n" + String(repeating: "9", count: 58) + "\n", LockOwner(pid: 4242, format: .barePid)),
      (
        #"{"pid":4242,"createdAt":"2026-11-21T03:02:11.123Z","starttime":987654}"#,
        LockOwner(pid: 4242, format: .openClaw, startTicks: 987_654)
      ),
      (#"{"pid":4242,"createdAt":1763694131123,"maxHoldMs":1800000}"#, LockOwner(pid: 4242, format: .openClaw)),
      (#"{"pid":4242,"starttime":987654}"#, LockOwner(pid: 4242, format: .openClaw, startTicks: 987_654)),
      (#"{"pid":4242,"createdAt":null,"starttime":null}"#, LockOwner(pid: 4242, format: .json)),
      (#"{"pid":4242,"starttime":1763694131}"#, LockOwner(pid: 4242, format: .json)),
      ("\n {\"pid\": \"4242\", \"hostname\": \"box\"}\n", LockOwner(pid: 4242, format: .json, host: "box")),
      (#"{"pid":4242,"host":"a b","starttime":-5}"#, LockOwner(pid: 4242, format: .json)),
      ("agent=seo\npid=4242\nheartbeat=1763694131\n", LockOwner(pid: 4242, format: .keyValue)),
      ("# lock\r\nHOST = \"box\"\r\n PID = '4242' \r\n", LockOwner(pid: 4242, format: .keyValue, host: "box")),
      ("pid=1\npid=2\n", LockOwner(pid: 2, format: .keyValue)),
    ] as [(String, LockOwner)])
  func filesName(text: String, owner: LockOwner) {
    // Boot id 01234567-89ab-4cde-8f01-23456789abcd.
    let decimal = "27898229935040671061856694106170705946661215948462035462"
    let contents = text.replacing(Self.token, with: decimal)
    var expected = owner
    if text.contains(Self.token) { expected.startTicks = 987_654 }
    #expect(LockOwner(contents: Array(contents.utf8)) == expected)
  }

  @Test(arguments: [
    "", "\n", " ", "0\n", "0", "4194305\n", "99999999999999999999999\n", "-5\n", "+5\n", "12 34\n", "12x\n", "\n123\n",
    "LOCKED_BY: seo\nEXPIRES: 2026-11-21\n", "{", "{}", "[4242]", #"{"pid":4242"#, #"{"pid":0}"#, #"{"pid":-7}"#,
    #"{"pid":1.5}"#,
    #"{"pid":null}"#, #"{"pid":"x"}"#, #"{"owner":{"pid":5}}"#, #"{"pid":4242} x"#, "pid=\n", "pid=0\n", "pid=5 6\n", "pid\n",
    "ppid=5\n", "pid=5\npid=gone\n", "DIRC\u{0}\u{0}\u{0}\u{2}", "filelock/released\n",
  ])
  func filesThatNameNobody(text: String) { #expect(LockOwner(contents: Array(text.utf8)) == nil) }

  @Test(
    arguments: [
      ("box-4242", LockOwner(pid: 4242, format: .singletonLink, host: "box")),
      ("macbook-pro-2-4242", LockOwner(pid: 4242, format: .singletonLink, host: "macbook-pro-2")),
      (
        "ada@box.example.com.4242:1763600000",
        LockOwner(pid: 4242, format: .emacsLink, host: "box.example.com", bootTime: 1_763_600_000)
      ),
      ("ada@box.4242", LockOwner(pid: 4242, format: .emacsLink, host: "box")),
      ("ada@work@box-1.4242:0", LockOwner(pid: 4242, format: .emacsLink, host: "box-1")),
    ] as [(String, LockOwner)])
  func linksName(text: String, owner: LockOwner) { #expect(LockOwner(link: Array(text.utf8)) == owner) }

  @Test(arguments: [
    "", "-", "-4242", "box-", "box-0", "box-x", "box-4194305", "box", "4242", "../lock-4242", "/run/x-5", "a b-5", "@box.5",
    "ada@.5", "ada@box", "ada@box.", "ada@box.x", "ada@box.5:", "ada@box.5:x", "ada@box.5x", "ada@box-5", "ada@box.0:7",
    "ada@box.5:99999999999999999999",
  ])
  func linksThatNameNobody(text: String) { #expect(LockOwner(link: Array(text.utf8)) == nil) }

  @Test func theWriterIsTheHolderInSomeFormatsOnly() {
    let holders = LockOwner.Format.allCases.filter { LockOwner(pid: 1, format: $0).writerIsHolder }
    #expect(holders == [.softFileLock, .openClaw, .singletonLink, .emacsLink])
  }

  @Test func damagedLocksAreNeverFatal() {
    let seeds = [
      "4242\nbox\n27898229935040671061856694106170705946661215948462035462\n",
      #"{"pid":4242,"createdAt":"2026-11-21T03:02:11.123Z","starttime":987654}"#, "agent=seo\npid=4242\nhost='box'\n",
      "ada@box.4242:1763600000", "box-4242", "123\n",
    ]
    var random = Seeded(5)
    for seed in seeds {
      for _ in 0..<2_000 {
        let bytes = mutated(Array(seed.utf8), with: &random)
        for owner in [LockOwner(contents: bytes), LockOwner(link: bytes)] {
          if let owner { #expect((1...4_194_304).contains(owner.pid)) }
        }
      }
    }
  }
}

@Suite struct PlaceholderContentTests {
  let content = PlaceholderContent(
    pid: 812, startTicks: 987_654, host: "box-1", bootID: LockOwnerTests.boot, bootTime: 1_763_600_000)
  let now = WallTime(seconds: 1_795_230_131, nanoseconds: 123_000_000)

  @Test func aPlaceholderReadsAsItsFormatAndNamesUs() {
    for format in LockOwner.Format.allCases where format != .singletonLink && format != .emacsLink {
      let owner = LockOwner(contents: content.file(as: format, at: now))
      #expect(owner?.format == format)
      #expect(owner?.pid == 812)
    }
    for format in [LockOwner.Format.singletonLink, .emacsLink] {
      let owner = LockOwner(link: content.link(as: format))
      #expect(owner?.format == format)
      #expect(owner?.pid == 812)
      #expect(owner?.host == "box-1")
    }
  }

  @Test(
    arguments: [
      (nil, "812\n"), (.barePid, "812\n"),
      (.softFileLock, "812\nbox-1\n27898229935040671061856694106170705946661215948462035462\n"),
      (.json, "{\"pid\":812,\"by\":\"midwatch\"}\n"),
      (.openClaw, "{\"pid\":812,\"createdAt\":\"2026-11-21T03:02:11.123Z\",\"starttime\":987654,\"by\":\"midwatch\"}\n"),
      (.keyValue, "pid=812\nheartbeat=1795230131\nby=midwatch\n"),
    ] as [(LockOwner.Format?, String)])
  func filesToTheByte(format: LockOwner.Format?, text: String) {
    #expect(String(decoding: content.file(as: format, at: now), as: UTF8.self) == text)
  }

  @Test(
    arguments: [
      (nil, "box-1-812"), (.singletonLink, "box-1-812"), (.emacsLink, "midwatch@box-1.812:1763600000"),
    ] as [(LockOwner.Format?, String)])
  func linksToTheByte(format: LockOwner.Format?, text: String) {
    #expect(String(decoding: content.link(as: format), as: UTF8.self) == text)
  }

  @Test func withoutABootIDTheTokenIsTheStartTimeAlone() {
    var content = content
    content.bootID = nil
    #expect(content.file(as: .softFileLock, at: now) == Array("812\nbox-1\n987654\n".utf8))
  }

  @Test func tokensOfEverySizeComeBack() {
    var random = Seeded(6)
    for _ in 0..<500 {
      let boot = LockOwner.BootID(high: random.next() >> Int.random(in: 0..<64, using: &random), low: random.next() | 1)
      let content = PlaceholderContent(
        pid: 1, startTicks: random.next() >> Int.random(in: 0..<64, using: &random), host: "h", bootID: boot)
      let owner = LockOwner(contents: content.file(as: .softFileLock, at: now))
      #expect(owner?.bootID == boot)
      #expect(owner?.startTicks == content.startTicks)
    }
  }
}
