import Daemon
import Kernel

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
  do throws(SettingsLoader.Refusal) {
    let loaded = try loader.load()
    return stand(loaded, loader)
  } catch {
    Terminal.write(Array("\(error)\n".utf8), to: .error)
    return 78
  }
}

func stand(_ loaded: SettingsLoader.Loaded, _ loader: SettingsLoader) -> Int32 {
  do throws(Watch.Failure) {
    let watch = try Watch.stand(
      loaded.settings, root: loaded.root, places: loaded.places, log: Log(),
      reload: {
        do throws(SettingsLoader.Refusal) { return .settings(try loader.load().settings) } catch {
          return .refused(error.description)
        }
      })
    Terminal.write(Array(watch.introduction().utf8), to: .error)
    watch.run()
    return 0
  } catch {
    Terminal.write(Array("midwatchd: \(error)\n".utf8), to: .error)
    return error.exitCode
  }
}
