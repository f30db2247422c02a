import ProcessTable
import Testing

@Suite struct ProcessNameTests {
  func name(_ bytes: [UInt8]) -> ProcessName { ProcessName(bytes.span.bytes) }

  @Test func programsAreKnownByTheirFirstFifteenBytes() {
    #expect(ProcessName(ofProgram: "chrome-headless-shell") == name(Array("chrome-headless".utf8)))
    #expect(ProcessName(ofProgram: "sh") == name(Array("sh".utf8)))
    #expect(ProcessName(ofProgram: "sh") != name(Array("s".utf8)))
    #expect(ProcessName(ofProgram: "chromium") != name(Array("Chromium".utf8)))
  }

  @Test func aThreadOfTheKernelWithALongNameIsNoProgram() {
    let long = Array("chrome-headless-and-so-on".utf8)
    #expect(ProcessName(ofProgram: "chrome-headless-shell") != name(long))
    #expect(name(long).bytes == Array(long[..<16]))
  }

  @Test func everyByteCounts() {
    for count in 0...16 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 255 - $0) }
      #expect(name(bytes).bytes == bytes)
      for place in 0..<count {
        var other = bytes
        other[place] ^= 1
        #expect(name(other) != name(bytes))
      }
    }
  }
}
