import Configuration
import Foundation
import Kernel
import Rules
import TestSupport
import Testing

@testable import Daemon
@testable import ProcessTable

/// Asks about a process that is known by its number alone.
private func evidence(on pid: Int32, allow: [String] = []) throws -> LeakEvidence? {
  var witness = try LeakWitness()
  guard let process = try Processes().living(pid) else { return nil }
  return witness.evidence(on: [process], allow: try allow.map { try Glob($0) }).first ?? nil
}

/// Waits for numbers that a script writes.
private func pids(in place: Pipeline, _ holder: Holder) throws -> [Int32] {
  _ = eventually { place.exists("pids") || holder.hasEnded }
  return try #require(place.read("pids")).split(separator: " ").compactMap { Int32($0) }
}

/// Who is at the other end, on this machine's kernel.
@Suite struct LeakWitnessTests {
  /// Runs `body` with a function `tell(*pids)`, and `wait()` at its end.
  private func script(_ place: Pipeline, _ body: String) throws -> Holder {
    try Holder(
      python: """
        import os, socket, sys, time
        os.dup2(0, 2)
        def tell(*pids):
            with open(sys.argv[1] + ".new", "w") as file: file.write(" ".join(map(str, pids)))
            os.rename(sys.argv[1] + ".new", sys.argv[1])
        def sleeper(*ends, run=["sleep", "1000"]):
            pid = os.fork()
            if pid: return pid
            for number, end in enumerate(ends):
                if end is not None: os.dup2(end, number)
            os.closerange(3, 256)
            os.execvp(run[0], run)
        def wait(): time.sleep(1000)
        \(body)
        wait()
        """, place.path("pids"))
  }

  /// What becomes of a process whose program has just been started: the streams are there before the rest.
  private func settled(_ pid: Int32, _ holds: (LeakEvidence) -> Bool) throws -> LeakEvidence? {
    var found = try evidence(on: pid)
    _ = eventually(within: 20) {
      if let found, holds(found) { return true }
      usleep(50_000)
      found = try? evidence(on: pid)
      return false
    }
    return found
  }

  @Test func nobodyIsBehindNothing() throws {
    let holder = try Holder(sh: "exec 2>/dev/null; sleep 1000; :")
    #expect(try settled(holder.pid) { $0 == LeakEvidence() } == LeakEvidence())
  }

  @Test func aSocketPairNamesWhoeverHasTheOtherEnd() throws {
    let place = try Pipeline([])
    let holder = try script(
      place,
      """
      pairs = [socket.socketpair(), socket.socketpair()]
      child = sleeper(None, pairs[0][1].fileno(), pairs[1][1].fileno())
      for pair in pairs: pair[1].close()
      other = sleeper(None, pairs[1][0].fileno())
      pairs[1][0].close()
      tell(child, other)
      """)
    let pids = try pids(in: place, holder)
    let wanted: Set = [LeakEvidence.Peer(pid: holder.pid, line: .stream), .init(pid: pids[1], line: .stream)]
    let found = try settled(pids[0]) { Set($0.peers) == wanted }
    #expect(Set(found?.peers ?? []) == wanted)
    #expect(found?.hasUnknownPeer == false)
    kill(pids[1], SIGKILL)
    let left = try settled(pids[0]) { $0.peers.count == 1 }
    #expect(left?.peers == [.init(pid: holder.pid, line: .stream)])
    holder.kill()
    #expect(try settled(pids[0]) { $0 == LeakEvidence() } == LeakEvidence())
    kill(pids[0], SIGKILL)
  }

  @Test func aPipesOtherEndCountsAndAnotherOfTheSameEndDoesNot() throws {
    let place = try Pipeline([])
    let holder = try script(
      place,
      """
      reading, writing = os.pipe()
      child = sleeper(None, writing, writing)
      sibling = sleeper(None, writing)
      reader = sleeper(reading)
      os.close(reading); os.close(writing)
      tell(child, sibling, reader)
      """)
    let pids = try pids(in: place, holder)
    let wanted = [LeakEvidence.Peer(pid: pids[2], line: .stream)]
    #expect(try settled(pids[0]) { $0.peers == wanted } == LeakEvidence(peers: wanted))
    let back = try settled(pids[2]) { $0.peers.count == 2 }
    #expect(Set(back?.peers.map(\.pid) ?? []) == [pids[0], pids[1]])
    kill(pids[2], SIGKILL)
    // It is a zombie of Python's, which has nothing open.
    #expect(try settled(pids[0]) { $0 == LeakEvidence() } == LeakEvidence())
  }

  @Test func severalSuspectsCostOnePass() throws {
    let place = try Pipeline([])
    let holder = try script(
      place,
      """
      pairs = [socket.socketpair() for _ in range(5)]
      tell(*[sleeper(pair[1].fileno()) for pair in pairs])
      for pair in pairs: pair[1].close()
      """)
    let pids = try pids(in: place, holder)
    for pid in pids { _ = try settled(pid) { $0.peers.count == 1 } }
    let processes = try Processes()
    var suspects: [ProcessIdentity] = []
    for pid in pids {
      let process = processes.living(pid)
      suspects.append(try #require(process))
    }
    var witness = try LeakWitness()
    let wrong = ProcessIdentity(pid: pids[0], startTicks: suspects[0].startTicks + 1)
    let gone = ProcessIdentity(pid: 0x3fff_ffff, startTicks: 1)
    let found = witness.evidence(on: [wrong] + suspects + [gone])
    let wanted = LeakEvidence(peers: [.init(pid: holder.pid, line: .stream)])
    #expect(found == [nil] + suspects.map { _ in wanted } + [nil])
    #expect(witness.evidence(on: []).isEmpty)
  }

  @Test func aServicesMainProcessIsInTheEnvironment() throws {
    let holder = try Holder(sh: "exec 2>/dev/null; SYSTEMD_EXEC_PID=4711 exec sleep 1000")
    #expect(try settled(holder.pid) { $0.serviceMain != nil } == LeakEvidence(serviceMain: 4711))
  }

  @Test func whatIsAllowedSaysByWhich() throws {
    let pretender = try Pretender()
    let holder = try pretender.start("chrome", ["--user-data-dir=/srv/x y/profile", "--remote-debugging-port=9222"])
    _ = try settled(holder.pid) { _ in true }
    #expect(eventually { (try? evidence(on: holder.pid, allow: ["zzz", "/srv/*"])?.allowedBy) == "/srv/*" })
    #expect(try evidence(on: holder.pid, allow: ["9222"])?.allowedBy == "9222")
    for pattern in ["922", "srv", "*.service", "profile"] {
      #expect(try evidence(on: holder.pid, allow: [pattern])?.allowedBy == nil)
    }
  }

  @Test func aPortThatItListensOnIsAllowedToo() throws {
    let place = try Pipeline([])
    let holder = try script(
      place, "server = socket.create_server((\"127.0.0.1\", 0)); tell(os.getpid(), server.getsockname()[1])")
    let numbers = try pids(in: place, holder)
    #expect(try evidence(on: holder.pid, allow: ["\(numbers[1])"])?.allowedBy == "\(numbers[1])")
  }

  @Test(arguments: ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
  func aConnectionNamesTheClientUntilItEnds(host: String) throws {
    let place = try Pipeline([])
    let family = host == "127.0.0.1" ? "socket.AF_INET" : "socket.AF_INET6"
    let holder = try script(
      place,
      """
      server = socket.socket(\(family)); server.bind(("\(host == "127.0.0.1" ? host : "::")", 0)); server.listen()
      def client():
          pid = os.fork()
          if pid: return pid
          server.close()
          kept = socket.create_connection(("\(host.replacing("::ffff:", with: ""))", port))
          wait()
      port = server.getsockname()[1]
      one, other = client(), client()
      kept = server.accept()
      time.sleep(0.5)
      tell(one, other)
      """)
    let clients = try pids(in: place, holder)
    // One connection is accepted, the other one still waits for it.
    let wanted = Set(clients.map { LeakEvidence.Peer(pid: $0, line: .port) })
    let found = try settled(holder.pid) { Set($0.peers) == wanted }
    #expect(Set(found?.peers ?? []) == wanted)
    #expect(found?.hasUnknownPeer == false)
    for client in clients { kill(client, SIGKILL) }
    #expect(try settled(holder.pid) { $0 == LeakEvidence() } == LeakEvidence())
  }

  @Test(.enabled(if: Programs.isRoot, "only root makes namespaces")) func anotherPidNamespaceIsNotOurs() throws {
    let place = try Pipeline([])
    let holder = try script(
      place, "tell(sleeper(run=[\"unshare\", \"--pid\", \"--fork\", \"--kill-child\", \"sleep\", \"1000\"]))")
    let outer = try #require(try pids(in: place, holder).first)
    var scanner = try ProcessScanner()
    var inner: Int32?
    _ = eventually {
      inner = (try? scanner.scan())?.processes.first { $0.parent == outer }?.identity.pid
      return inner.flatMap { try? evidence(on: $0) }?.isInOurNamespace == false
    }
    #expect(try evidence(on: try #require(inner))?.isInOurNamespace == false)
    #expect(try evidence(on: outer)?.isInOurNamespace == true)
  }

  @Test(.enabled(if: Programs.isRoot, "only root makes namespaces")) func socketsOfAnotherNetworkAreUnknown() throws {
    let place = try Pipeline([])
    let holder = try script(
      place,
      """
      pair = socket.socketpair()
      tell(sleeper(None, pair[1].fileno(), run=["unshare", "--net", "sleep", "1000"]))
      """)
    let pid = try #require(try pids(in: place, holder).first)
    #expect(try settled(pid) { $0.hasUnknownPeer } == LeakEvidence(hasUnknownPeer: true))
  }

  @Test(.enabled(if: Programs.isRoot, "only root can become somebody else"))
  func anOrdinaryUserDoesNotKnowWhatHeMayNotSee() async {
    await #expect(processExitsWith: .success) {
      let place = try Pipeline([])
      let holder = try Holder(
        python: """
          import os, socket, sys, time
          os.dup2(0, 2)
          pair = socket.socketpair()
          reading, writing = os.pipe()
          def child(mine, others, number):
              pid = os.fork()
              if pid: return pid
              os.setgid(65534); os.setuid(65534)
              os.dup2(mine, number)
              os.closerange(3, 256)
              os.execvp("sleep", ["sleep", "1000"])
          children = child(pair[1].fileno(), pair[0].fileno(), 0), child(writing, reading, 1)
          pair[1].close(); os.close(writing)
          time.sleep(0.5)
          with open(sys.argv[1] + ".new", "w") as file: file.write(" ".join(map(str, children)))
          os.rename(sys.argv[1] + ".new", sys.argv[1])
          time.sleep(1000)
          """, place.path("pids"))
      let found = try pids(in: place, holder)
      // For /proc he is somebody else; signals he may still send, or nothing here could be cleaned up.
      precondition(setegid(65534) == 0 && seteuid(65534) == 0)
      for pid in found {
        let told = try evidence(on: pid)
        precondition(told?.hasUnknownPeer == true && told?.peers == [], "\(String(describing: told))")
      }
      // Another user's process is not read, and so nothing is said of it.
      let first = try evidence(on: 1)
      let scan = try ProcessScanner.once()
      precondition(first == nil && !scan.isPartial)
    }
  }
}

extension ProcessScanner {
  fileprivate static func once() throws -> ProcessScan {
    var scanner = try ProcessScanner()
    return try scanner.scan()
  }
}

@Suite struct ConnectionTableTests {
  static let text = """
       0: 0100007F:2406 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
       1: 0100007F:2406 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 12 1
       2: 0100007F:D431 0100007F:2406 01 00000000:00000000 00:00000000 00000000     0        0 13 1
       3: 0100007F:2406 0200000A:D431 01 00000000:00000000 00:00000000 00000000     0        0 14 1
       4: 0100007F:2406 0100007F:D433 01 00000000:00000000 00:00000000 00000000     0        0 15 1
       5: 0100007F:D433 0100007F:2406 04 00000000:00000000 00:00000000 00000000     0        0 0 1
       6: 0100007F:2406 0100007F:D434 08 00000000:00000000 00:00000000 00000000     0        0 16 1
       7: 0100007F:9999 0100007F:D435 01 00000000:00000000 00:00000000 00000000     0        0 17 1

    """

  @Test func whoIsConnected() {
    var table = ConnectionTable(of: [11, 12, 14, 15, 16, 17])
    let bytes = Array(Self.text.utf8)
    table.take(bytes.span.bytes)
    #expect(table.ports == [0x2406])
    // A living peer, a remote one, and one that has closed its end with something still to deliver.
    #expect(table.connections.map { table.inode(at: $0) } == [13, nil, 0])
  }

  @Test func anothersPortIsNone() {
    var table = ConnectionTable(of: [12])
    let bytes = Array(Self.text.utf8)
    table.take(bytes.span.bytes)
    #expect(table.ports.isEmpty)
    #expect(table.connections.isEmpty)
  }
}

/// The same for a real Chromium.
@Suite(.enabled(if: Programs.has("chromium"), "there is no chromium"), .serialized) struct ChromiumWitnessTests {
  private func browser(of driven: DrivenBrowser) throws -> Int32 {
    try #require(eventually { driven.browser != nil || driven.driver.hasEnded })
    return try #require(driven.browser)
  }

  @Test func aDriverOnThePortIsNamedWhileItLives() throws {
    let driven = try DrivenBrowser(by: .port)
    let pid = try browser(of: driven)
    let wanted: Set = [LeakEvidence.Peer(pid: driven.driver.pid, line: .port), .init(pid: driven.driver.pid, line: .stream)]
    let found = try evidence(on: pid)
    #expect(Set(found?.peers ?? []) == wanted)
    #expect(found?.hasUnknownPeer == false)
    driven.driver.kill()
    var left = found
    _ = eventually {
      left = (try? evidence(on: pid)) ?? left
      return left?.peers.isEmpty == true && left?.hasUnknownPeer == false
    }
    // Alive, and nobody there.
    #expect(left == LeakEvidence(serviceMain: found?.serviceMain))
  }

  @Test func aDriverOnThePipeIsNamedWhileItLives() throws {
    let driven = try DrivenBrowser(by: .pipe)
    let pid = try browser(of: driven)
    let wanted: Set = [LeakEvidence.Peer(pid: driven.driver.pid, line: .pipe), .init(pid: driven.driver.pid, line: .stream)]
    var found: LeakEvidence?
    _ = eventually {
      found = try? evidence(on: pid)
      return Set(found?.peers ?? []) == wanted
    }
    #expect(Set(found?.peers ?? []) == wanted)
    #expect(found?.hasUnknownPeer == false)
    // It would end with its pipe.
    kill(pid, SIGSTOP)
    driven.driver.kill()
    var left = found
    _ = eventually {
      left = (try? evidence(on: pid)) ?? left
      return left?.peers.isEmpty == true && left?.hasUnknownPeer == false
    }
    #expect(left == LeakEvidence(serviceMain: found?.serviceMain))
  }
}
