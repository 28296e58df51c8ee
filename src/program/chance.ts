// The chance with which kube-proxy's rules draw one of several Endpoints in iptables mode, as text and as iptables keeps it.

/** 1/count as kube-proxy prints it: %0.10f of Go, which rounds to even what lies in the middle. Of all counts that is 1/2048 alone. */
export function probabilityText(count: number): string {
  return count === 2048 ? '0.0004882812' : (1 / count).toFixed(10);
}

/** iptables keeps what kube-proxy printed as a 31-bit fraction: random bits below it match. */
export function oneInThreshold(count: number): number {
  return Math.round(Number(probabilityText(count)) * 0x80000000);
}
