/// What a descriptor leads to, by the text of the link `/proc/PID/fd/N`, proc_pid_fd(5).
public enum DescriptorLink: Hashable, Sendable {
  case socket(inode: UInt64)
  /// An unnamed pipe, either end.
  case pipe(inode: UInt64)
  case other

  public init(_ text: RawSpan) {
    var reader = FieldReader(text)
    let isSocket = reader.take("socket:[")
    guard isSocket || reader.take("pipe:["), let inode = reader.number(), reader.take(0x5D), reader.isAtEnd else {
      self = .other
      return
    }
    self = isSocket ? .socket(inode: inode) : .pipe(inode: inode)
  }
}
