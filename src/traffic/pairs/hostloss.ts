/**
 * Packets that a NIC's VM sent and no table of the switch ever saw: its device counted them, and then a queue between the
 * kernel and ovs-vswitchd ran over, or a limit dropped them. Interface counters beside forwarded ones; nobody else shows
 * the difference. Pure.
 *
 * Forwarded counts lag by up to half a second, so both sides are bounds. When the device is read after the tables,
 * `received - forwarded` is no less than what was lost by then; what the device had counted a lag ago, less what the
 * tables have counted now, is no more. What surely was lost since counting began is the second, less the least of the
 * first; so it may be told late, and never wrongly.
 */

/** What a port received and what was forwarded of it, read in one go, the latter first. */
export interface LossSample {
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  /** By the device, since the port was made. A device that is made anew begins at 0, though port and tables go on. */
  readonly receivedPackets: bigint;
  /** Of all pairs with this NIC as their source, since counting began: anew where the NIC has another name. */
  readonly forwardedPackets: bigint;
  /** False as long as some of the forwarded ones may be missing. */
  readonly isSettled: boolean;
  /** Differs where one of the two counts began anew. */
  readonly epoch: string;
}

/** How long a packet may take from the device's count into that of the tables: half a second, and more on a busy host. */
const LAG_MS = 2_000;

/** One NIC. */
export class HostLoss {
  #epoch: string | undefined;
  #receivedPackets = 0n;
  #forwardedPackets = 0n;
  /** Lost before this epoch. */
  #before = 0n;
  #lost = 0n;
  /** Of `received - forwarded`: no more than this was lost when the epoch began. */
  #least = 0n;
  /** Readings of the device that may still be on their way into the tables, and the last one before them. */
  #recent: { readonly atMs: number; readonly receivedPackets: bigint }[] = [];

  /** @returns how many packets were lost since the first sample, at least */
  take({ atMs, receivedPackets, forwardedPackets, isSettled, epoch }: LossSample): bigint {
    const ahead = receivedPackets - forwardedPackets;
    const wentBack = receivedPackets < this.#receivedPackets || forwardedPackets < this.#forwardedPackets;
    if (epoch !== this.#epoch || wentBack) {
      this.#before += this.#lost;
      this.#lost = 0n;
      this.#least = ahead;
      this.#recent = [];
      this.#epoch = epoch;
    }
    this.#receivedPackets = receivedPackets;
    this.#forwardedPackets = forwardedPackets;
    if (ahead < this.#least) this.#least = ahead;
    this.#recent.push({ atMs, receivedPackets });
    while ((this.#recent[1]?.atMs ?? atMs) <= atMs - LAG_MS) this.#recent.shift();
    const [settled] = this.#recent;
    if (isSettled && settled && settled.atMs <= atMs - LAG_MS) {
      const lost = settled.receivedPackets - forwardedPackets - this.#least;
      if (lost > this.#lost) this.#lost = lost;
    }
    return this.#before + this.#lost;
  }
}
