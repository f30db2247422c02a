import ProcessTable
import Testing

@Suite struct EnvironmentTests {
  func value(_ name: String, in text: String) -> String? {
    let bytes = Array(text.utf8)
    return string(Environment(bytes.span.bytes).value(of: name))
  }

  func pid(_ text: String) -> Int32? {
    let bytes = Array(text.utf8)
    return Environment(bytes.span.bytes).pid(of: "SYSTEMD_EXEC_PID")
  }

  @Test func theFirstOfAName() {
    let text = "PATH=/bin\0XMIDWATCH_JOB=0\0MIDWATCH_JOB=a=b \n\0MIDWATCH_JOB=2\0MIDWATCH_JOBS=3\0EMPTY=\0"
    #expect(value("MIDWATCH_JOB", in: text) == "a=b \n")
    #expect(value("EMPTY", in: text) == "")
    #expect(value("PATH", in: text) == "/bin")
    #expect(value("MIDWATCH", in: text) == nil)
    #expect(value("HOME", in: text) == nil)
  }

  @Test func theServiceThatItWasStartedIn() {
    #expect(pid("A=1\0SYSTEMD_EXEC_PID=2814\0B=2\0") == 2814)
    for text in [
      "", "SYSTEMD_EXEC_PID=28", "SYSTEMD_EXEC_PID=\0", "SYSTEMD_EXEC_PID=28x\0", "SYSTEMD_EXEC_PID=0\0",
      "SYSTEMD_EXEC_PID=-1\0", "SYSTEMD_EXEC_PID=99999999999\0", "SYSTEMD_EXEC_PID\0", "SYSTEMD_EXEC_PID",
    ] { #expect(pid(text) == nil) }
  }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(14)
    for _ in 0..<5_000 {
      let bytes = mutated(Array("PATH=/bin\0SYSTEMD_EXEC_PID=2814\0MIDWATCH_JOB=x\0".utf8), with: &random)
      let environment = Environment(bytes.span.bytes)
      _ = environment.value(of: "MIDWATCH_JOB")
      _ = environment.pid(of: "SYSTEMD_EXEC_PID")
    }
  }
}

@Suite struct ControlGroupTests {
  func unit(_ bytes: [UInt8]) -> String? { string(ControlGroup(bytes.span.bytes).unit) }

  @Test(
    arguments: [
      ("0::/system.slice/gw.service\n", "gw.service"),
      ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-chromium-42.scope\n", "app-chromium-42.scope"),
      ("0::/user.slice/user-1000.slice/user@1000.service/app.slice\n", "user@1000.service"),
      ("0::/system.slice/gw.service/browsers/1\n", "gw.service"),
      ("12:pids:/system.slice/x.service\n1:name=systemd:/system.slice/cron.service\n0::/init.scope\n", "cron.service"),
      ("9:name=systemd:/\n0::/system.slice/cron.service\n", "cron.service"),
      ("0::/system.slice/a:b.service\n", "a:b.service"), ("0::/\n", nil), ("0::/docker/0123\n", nil), ("", nil),
      ("0::/.service\n", nil),
      ("0::/system.slice/gw.service", nil), ("4:memory:/system.slice/gw.service\n", nil),
    ] as [(String, String?)])
  func whereSystemdPutIt(text: String, unit: String?) { #expect(self.unit(Array(text.utf8)) == unit) }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(15)
    for _ in 0..<5_000 {
      _ = unit(mutated(Array("1:name=systemd:/system.slice/cron.service\n0::/init.scope\n".utf8), with: &random))
    }
  }
}

@Suite struct RealUserTests {
  func user(_ bytes: [UInt8]) -> UInt32? { realUser(status: bytes.span.bytes) }

  @Test func theFirstOfFour() {
    #expect(user(Array("Name:\tUid: 5\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n".utf8)) == 1000)
    for text in ["", "Uid:\t", "Uid:\t10", "Uid:\tx\t0\n", "Uid:\t4294967296\t0\n", "Gid:\t1\t1\n"] {
      #expect(user(Array(text.utf8)) == nil)
    }
  }

  @Test func damagedTextIsNeverFatal() {
    var random = Seeded(16)
    for _ in 0..<3_000 { _ = user(mutated(Array("Name:\tnode\nUid:\t1000\t0\t0\t0\nGid:\t1\n".utf8), with: &random)) }
  }
}
