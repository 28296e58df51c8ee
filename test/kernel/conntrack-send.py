# Sends raw IPv4 packets: one a line on stdin, destination and bytes in hex. Run inside a namespace by conntrack-node.ts.
import socket
import sys

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for line in sys.stdin:
    destination, packet = line.split()
    raw.sendto(bytes.fromhex(packet), (destination, 0))
