import Daemon
import Formats
import Kernel

func help() -> String {
  let widest = Figure.all.map(\.name.count).max() ?? 0
  let figures = Figure.all.map { figure in
    "  \(figure.name)\(String(repeating: " ", count: widest - figure.name.count))  \(figure.meaning)\n"
  }
  return """
    Usage: midwatch-bench [FIGURE]...

    Measures what midwatch costs and prints one line for each figure: its name, the figure, and what it was
    made of. Times are ratios to a reference that was measured in the same run. Without a name, all of them:

    \(figures.joined())
    It works in a directory of its own in $TMPDIR. Exit: 0 measured, 1 a figure could not be had, 64 bad usage.

    """
}

func run(_ words: [String]) -> Int32 {
  var arguments = Arguments(words)
  var chosen: [Figure] = []
  do {
    while let word = try arguments.next() {
      switch word {
      case .option("--help"), .option("-h"):
        Terminal.write(Array(help().utf8), to: .output)
        return 0
      case .option(let name), .operand(let name):
        guard let figure = Figure.all.first(where: { $0.name == name }) else {
          return misused("'\(escaped(Array(name.utf8)))' is no figure")
        }
        chosen.append(figure)
      }
    }
  } catch { return misused("\(error)") }
  var isWhole = true
  for figure in chosen.isEmpty ? Figure.all : chosen {
    do {
      let measured = try figure.measure()
      let value = measured.value == 0 ? "0" : "\(measured.value)"
      Terminal.write(Array("\(figure.name) \(value)   (\(measured.detail))\n".utf8), to: .output)
    } catch {
      Terminal.write(Array("midwatch-bench: \(figure.name): \(error)\n".utf8), to: .error)
      isWhole = false
    }
  }
  return isWhole ? 0 : 1
}

func misused(_ line: String) -> Int32 {
  Terminal.write(Array("midwatch-bench: \(line); see midwatch-bench --help\n".utf8), to: .error)
  return 64
}

exitProcess(run(Array(CommandLine.arguments.dropFirst())))
