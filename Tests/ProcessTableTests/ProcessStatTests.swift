import ProcessTable
import Testing

@Suite struct ProcessStatTests {
  static let line =
    "4242 (chrome) S 4240 4240 4200 0 -1 4194560 1000 0 3 0 150 25 7 8 20 0 31 0 987654 1234567168 5000 18446744073709551615 1 1 0 0 0 0 0 4096 1260 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

  func read(_ text: String) -> ProcessStat? {
    let bytes = Array(text.utf8)
    return ProcessStat(bytes.span.bytes)
  }

  let stat = ProcessStat(
    pid: 4242, name: ProcessName(ofProgram: "chrome"), state: UInt8(ascii: "S"), parent: 4240, group: 4240, session: 4200,
    startTicks: 987_654, cpuTicks: 175)

  @Test func aProcessAsTheKernelWritesIt() { #expect(read(Self.line) == stat) }

  @Test(arguments: [
    "((sd-pam))", "(a) S 1 1)", "(Web Content)", "()", "(\n)", "(\u{1F980})", "() R 1 1 1 0 -1 0 0)", "())))))))))))))))",
    "(kworker/u16:3-events_unbound_and_a_description_of_sixty-three_b)",
  ])
  func aNameMayHoldAnything(name: String) {
    let bytes = Array(name.utf8.dropFirst().dropLast())
    let named = ProcessStat(
      pid: stat.pid, name: ProcessName(bytes.span.bytes), state: stat.state, parent: stat.parent, group: stat.group,
      session: stat.session, startTicks: stat.startTicks, cpuTicks: stat.cpuTicks)
    #expect(read(Self.line.replacing("(chrome)", with: name)) == named)
  }

  @Test func zombiesAndStoppedOnes() {
    #expect(read(Self.line.replacing(") S", with: ") Z"))?.isZombie == true)
    #expect(read(Self.line.replacing(") S", with: ") T"))?.isStopped == true)
    #expect(read(Self.line)?.isZombie == false)
    #expect(read(Self.line)?.isStopped == false)
  }

  @Test(arguments: [
    "", "4242", "4242 (chrome", "(chrome) S 1", "0 (x) S 1 1 1", "-1 (x) S 1 1 1", "x (chrome) S 1", "4242 (chrome) SS 1 1 1",
    "99999999999 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 5 \n", ") (",
  ])
  func whatIsNoSuchLine(text: String) { #expect(read(text) == nil) }

  @Test func cutShortItSaysNothingFalse() {
    let bytes = Array(Self.line.utf8)
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      let read = ProcessStat(cut.span.bytes)
      #expect(read == nil || read == stat)
    }
  }

  @Test func damagedLinesAreNeverFatal() {
    var random = Seeded(1)
    for _ in 0..<10_000 {
      let bytes = mutated(Array(Self.line.utf8), with: &random)
      _ = ProcessStat(bytes.span.bytes)
    }
  }
}
