"""Sends UDP frames out of a device, as they are: `udpflows.py DEVICE FROM TO FLOWS EACH BYTES`. Each flow has a source
port of its own. A little slower than the switch can be kept waiting, so that no socket overflows."""
import socket
import struct
import sys
import time

device, source, destination, flows, each, size = sys.argv[1:]
flows, each, size = int(flows), int(each), int(size)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def frame(port):
    payload = bytes(size - 14 - 20 - 8)
    udp = struct.pack("!HHHH", port, 2000, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:]
    return mac(destination) + mac(source) + b"\x08\x00" + head + udp


out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((device, 0))
for number in range(each):
    for flow in range(flows):
        out.send(frame(10000 + flow))
        time.sleep(0.0005)
