internal import CLinux

/// This process's own memory.
public enum OwnMemory {
  /// Gives back what only the start needed: freed heap, stack below this call, and code that is not run
  /// again before the next reload. The kernel maps code anew from the page cache when it is called.
  ///
  /// A box with little memory is why midwatch is there; what is resident counts.
  ///
  /// - SeeAlso: malloc_trim(3); madvise(2), MADV_DONTNEED
  public static func releaseStart() {
    midwatch_release_start()
  }
}
