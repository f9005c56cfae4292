import Interprocess
let l = try LocalSocketListener(.namespaced("x.y"))
let c = try LocalSocketStream.connect(to: .namespaced("x.y"))
let s = try l.accept()
try c.writeAll("hello\nworld\r\nrest")
c.close()
print(try s.readLine() as Any, try s.readLine() as Any, try s.readLine() as Any, try s.readLine() as Any)
print(try s.peerCredentials(), try s.peerProcess().isRunning)
do { _ = try LocalSocketStream.connect(to: .path("/tmp/none")) } catch { print(error) }
do { _ = try LocalSocketListener(.path("/etc/passwd")) } catch { print(error) }
