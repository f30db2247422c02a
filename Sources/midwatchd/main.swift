import Daemon
import Kernel

// One file on the disk, two programs: cron knows it by its other name.
if Path(bytes: Own.arguments.first ?? [])?.split.name == Path(Gate.programName) { Gate.standIn() }

// main catches everything itself: an error out of top-level code would be a crash, not an exit code.
switch DaemonArguments.parse(Array(CommandLine.arguments.dropFirst())) {
case .show(let text):
  Terminal.write(Array(text.utf8), to: .output)
case .misused(let line):
  Terminal.write(Array("midwatchd: \(line); see midwatchd --help\n".utf8), to: .error)
  exitProcess(64)
case .watch(let loader):
  exitProcess(watch(loader))
}

func watch(_ loader: SettingsLoader) -> Int32 {
  switch stand(loader) {
  case .watch(let watch):
    watch.run()
    return 0
  case .refused(let line, let exitCode):
    Terminal.write(Array("\(line)\n".utf8), to: .error)
    return exitCode
  }
}

enum Standing {
  case watch(Watch)
  case refused(String, exitCode: Int32)
}

/// Returns before the watch runs: the table of keys and the files' texts, a hundred kilobytes, are gone
/// with this frame and not held for months.
func stand(_ loader: SettingsLoader) -> Standing {
  let loaded: SettingsLoader.Loaded
  do throws(SettingsLoader.Refusal) { loaded = try loader.load() } catch {
    return .refused(error.description, exitCode: 78)
  }
  do throws(Watch.Failure) {
    let watch = try Watch.stand(
      loaded.settings, root: loaded.root, configuration: loader.file, places: loaded.places, log: Log(),
      reload: {
        do throws(SettingsLoader.Refusal) { return .settings(try loader.load().settings) } catch {
          return .refused(error.description)
        }
      })
    Terminal.write(Array(watch.introduction().utf8), to: .error)
    return .watch(watch)
  } catch {
    return .refused("midwatchd: \(error)", exitCode: error.exitCode)
  }
}
