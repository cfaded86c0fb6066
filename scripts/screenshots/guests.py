"""In place of guests: opens the taps of the VMs as QEMU does, and sends what they would. guests.py FLOWS, until it is ended.

FLOWS is a JSON list of {"device", "from": {"mac", "ip"}, "to": {"mac", "ip"}, "port", "bytes", "perSecond", "wave"}: so many UDP
packets of so many bytes of Ethernet frame a second, more and less in a wave of so many seconds.
"""
import fcntl, json, math, os, socket, struct, sys, time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TICK = 0.05


def open_device(name):
    """A tap as its guest has it; what is no tap (the far end of the uplink), as the wire has it."""
    if not os.path.exists(f"/sys/class/net/{name}/tun_flags"):
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(3))
        packets.bind((name, 0))
        return packets.detach(), b""
    for more in (0, IFF_VNET_HDR):
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | more))
            return tap, bytes(10 if more else 0)
        except OSError:
            os.close(tap)
    raise SystemExit(f"cannot open {name}")


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(flow):
    mac = lambda end: bytes.fromhex(flow[end]["mac"].replace(":", ""))
    payload = bytes(flow["bytes"] - 14 - 20 - 8)
    udp = struct.pack("!HHHH", 40000 + flow["port"] % 1000, flow["port"], 8 + len(payload), 0) + payload
    parts = lambda total: struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, total,
        socket.inet_aton(flow["from"]["ip"]), socket.inet_aton(flow["to"]["ip"]))
    return mac("to") + mac("from") + b"\x08\x00" + parts(checksum(parts(0))) + udp


def main():
    flows = json.loads(sys.argv[1])
    devices = {name: open_device(name) for name in {flow["device"] for flow in flows}}
    for flow in flows:
        device, header = devices[flow["device"]]
        flow.update(fd=device, frame=header + frame(flow), owed=0.0)
    last = time.monotonic()
    while True:
        time.sleep(TICK)
        now = time.monotonic()
        for flow in flows:
            swing = 1 + 0.8 * math.sin(2 * math.pi * now / flow["wave"]) if flow["wave"] else 1
            flow["owed"] += (now - last) * flow["perSecond"] * swing
            count, flow["owed"] = int(flow["owed"]), flow["owed"] % 1
            for _ in range(count):
                os.write(flow["fd"], flow["frame"])
        for device, _ in devices.values():
            drain(device)
        last = now


def drain(device):
    """What the guest receives: nobody looks at it, but a full queue would be dropped packets."""
    try:
        while True:
            os.read(device, 65536)
    except BlockingIOError:
        return


main()
