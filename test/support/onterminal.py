"""A program on a terminal of its own: onterminal.py COLUMNS ROWS PROGRAM [ARGS...]

What the program writes goes to stdout as it is. stdin takes one JSON object a line: {"type": "text"}, {"resize": [COLUMNS,
ROWS]}, {"signal": "SIGTERM"}. At the end, the last line on stderr is a JSON object: the exit status (or -N, signal N), and
whether the terminal's modes are those of the beginning.
"""
import fcntl, json, os, select, signal, struct, sys, termios


def set_size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def obey(line, master, pid):
    order = json.loads(line)
    if "type" in order:
        os.write(master, order["type"].encode())
    if "resize" in order:
        set_size(master, *order["resize"])
    if "signal" in order:
        os.kill(pid, getattr(signal, order["signal"]))


def main():
    columns, rows, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    # Our own end of the slave keeps the terminal, and its modes, after the program has ended.
    master, slave = os.openpty()
    set_size(master, columns, rows)
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        os.close(master)
        login_tty(slave)
        os.execvp(command[0], command)
    orders = b""
    while True:
        readable, _, _ = select.select([master, 0] if orders is not None else [master], [], [], 0.05)
        if master in readable:
            write_all(os.read(master, 65536))
        if 0 in readable:
            data = os.read(0, 65536)
            # The test is gone: so is the program.
            if not data:
                os.kill(pid, signal.SIGKILL)
                orders = None
                continue
            *lines, orders = (orders + data).split(b"\n")
            for line in lines:
                obey(line, master, pid)
        if not readable:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                break
    is_restored = termios.tcgetattr(slave) == before
    code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"status": code, "isRestored": is_restored}), file=sys.stderr)


def write_all(data):
    while data:
        data = data[os.write(1, data):]


def login_tty(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    if slave > 2:
        os.close(slave)


main()
