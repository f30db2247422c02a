import Kernel

/// What libFuzzer calls for each input; MIDWATCH_PARSER says which parser gets it.
@_cdecl("LLVMFuzzerTestOneInput")
public func takeOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  chosen.take(UnsafeRawBufferPointer(start: start, count: count).bytes)
  return 0
}

private let chosen: Parser = {
  if let name = environment("MIDWATCH_PARSER"), let parser = Parser(rawValue: name) { return parser }
  Terminal.write(Array("MIDWATCH_PARSER is one of \(Parser.allCases.map(\.rawValue))\n".utf8), to: .error)
  exitProcess(64)
}()
