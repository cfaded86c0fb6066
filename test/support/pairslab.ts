/** VMs on a bridge that is counted, packets between them, and somebody who watches; with what was sent as the truth. */
import { expect } from 'chai';
import { filter, firstValueFrom, ReplaySubject, timeout } from 'rxjs';
import { toSettings } from '../../src/app/settings.ts';
import { pairs, type PairsView } from '../../src/app/streams.ts';
import { askControl, findControlSocket } from '../../src/ovsdb/unixctl.ts';
import type { Pair } from '../../src/traffic/pairs/pair.ts';
import { renderEnd } from '../../src/traffic/pairs/pairorder.ts';
import { startTestSandbox, type TestSandbox, type TestSandboxOptions } from './sandbox.ts';

const MACS: Readonly<Record<string, string>> = {
  web1: '52:54:00:10:00:01',
  db1: '52:54:00:10:00:02',
  db2: '52:54:00:10:00:03',
  flood: 'ff:ff:ff:ff:ff:ff',
  unknown: '52:54:00:99:00:01',
};
/** Rows of pairs of so many NICs are not written ahead (switch/pipeline/pipeline.ts). */
const CROWD = 100;
/** Counters lag by at most half a second; the clock of the views is not that of the sender. */
const LAG_MS = 600;
const LIMIT_MS = 15_000;
/** Bytes of each packet. */
export const PACKET_BYTES = 542;

export interface Watching extends Disposable {
  readonly seen: readonly PairsView[];
  /** The first view to come of which this is true. */
  until(condition: (view: PairsView) => boolean): Promise<PairsView>;
}

/** br0 with web1:0 and db1:0, on the datapath without devices. */
export class PairsLab implements AsyncDisposable {
  readonly sandbox: TestSandbox;
  /** When each packet was sent, by `web1:0>db1:0`. */
  readonly #sent = new Map<string, number[]>();
  #control: Promise<string> | undefined;

  private constructor(sandbox: TestSandbox) {
    this.sandbox = sandbox;
  }

  static async start(options: TestSandboxOptions = {}): Promise<PairsLab> {
    const lab = new PairsLab(await startTestSandbox({ dummy: true, ...options }));
    const marks = ['external_ids:vswitchboard=lab', 'external_ids:vswitchboard-visibility=pairs'];
    await lab.sandbox.vsctl('add-br', 'br0', '--', 'set', 'Bridge', 'br0', ...marks);
    for (const vm of ['web1', 'db1']) await lab.addVm(vm);
    return lab;
  }

  async addVm(vm: string): Promise<void> {
    await this.sandbox.vsctl(...addPort(vm, String(MACS[vm])));
  }

  /** More NICs than rows of pairs are written ahead for: they are learned from now on. */
  async addCrowd(): Promise<void> {
    const names = Array.from({ length: CROWD }, (_, index) => String(index + 100));
    await this.sandbox.vsctl(
      ...names.flatMap((n) => ['--', ...addPort(`vm${n}`, `52:54:00:20:00:${n.slice(1)}`)]),
    );
  }

  /** The switch's clock goes on at once. */
  async warp(ms: number): Promise<void> {
    this.sandbox.announce(/waiting for main to quiesce/);
    const socket = await findControlSocket(this.sandbox.rundir);
    await askControl(socket, 'time/stop', [], { timeoutMs: LIMIT_MS });
    await askControl(socket, 'time/warp', [String(ms), '1000'], { timeoutMs: LIMIT_MS });
  }

  /** Sends packets, flow by flow, each with a source port of its own. */
  async send(from: string, to: string, packets: number, flows = 1): Promise<void> {
    this.#control ??= findControlSocket(this.sandbox.rundir);
    const socket = await this.#control;
    const key = `${from}:0>${to in { flood: 0, unknown: 0 } ? to : `${to}:0`}`;
    for (let packet = 0; packet < packets; packet++) {
      const flow =
        `in_port(1),eth(src=${String(MACS[from])},dst=${String(MACS[to])}),eth_type(0x0800),` +
        'ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),' +
        `udp(src=${String(1000 + (packet % flows))},dst=2000)`;
      // Before it is, since it may be counted before we hear of it.
      const sent = this.#sent.get(key) ?? [];
      this.#sent.set(key, sent);
      sent.push(Date.now());
      const args = [from, flow, '--len', String(PACKET_BYTES)];
      try {
        await askControl(socket, 'netdev-dummy/receive', args, { timeoutMs: LIMIT_MS });
      } catch (thrown) {
        sent.pop();
        this.#control = undefined;
        throw thrown;
      }
    }
  }

  /** Sends without end, until it is called; survives the port's absence, in which nothing is sent. */
  load(from: string, to: string): () => Promise<void> {
    const over = new AbortController();
    const loop = (async () => {
      while (!over.signal.aborted) {
        try {
          await this.send(from, to, 1, 1);
        } catch {
          // The port, or the switch, is not there just now.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    })();
    return async () => {
      over.abort();
      await loop;
    };
  }

  /** Packets that were sent so far. */
  sent(key: string): number {
    return this.#sent.get(key)?.length ?? 0;
  }

  watch(everyMs = 100): Watching {
    const settings = toSettings({ remote: this.sandbox.remote, ovsRundir: this.sandbox.rundir }, {});
    const seen: PairsView[] = [];
    const views$ = new ReplaySubject<PairsView>();
    views$.subscribe({ next: (view) => seen.push(view), error: () => undefined });
    const subscription = pairs({ settings, everyMs }).subscribe(views$);
    return {
      seen,
      until: (condition) => {
        const from = seen.length;
        return firstValueFrom(
          views$.pipe(
            filter((view, index) => index >= from && condition(view)),
            timeout({
              first: LIMIT_MS,
              with: () => expect.fail(`not so in time; last: ${render(seen.at(-1))}`),
            }),
          ),
        );
      },
      [Symbol.dispose]: () => {
        subscription.unsubscribe();
      },
    };
  }

  /** Watches, and waits until pairs are counted. */
  async watchCounted(): Promise<Watching> {
    const watching = this.watch();
    await watching.until(({ states }) => states.some(({ mode, error }) => mode === 'pairs' && !error));
    return watching;
  }

  /** Waits until nothing more is counted, for longer than counters lag. */
  settle(watching: Watching): Promise<PairsView> {
    return watching.until((view) => {
      const sinceMs = view.at.getTime() - 2 * LAG_MS;
      const recent = watching.seen.filter(({ at }) => at.getTime() >= sinceMs);
      const isLong = watching.seen.some(({ at }) => at.getTime() < sinceMs);
      return isLong && recent.every(({ pairs: all }) => sumOf(all) === sumOf(view.pairs));
    });
  }

  /** No rate is negative or above what was sent; no total goes back. */
  expectSober({ seen }: Watching): void {
    seen.forEach((view, index) => {
      const before = seen[index - 1];
      if (!before) return;
      const elapsedMs = view.at.getTime() - before.at.getTime();
      const sinceMs = before.at.getTime() - LAG_MS;
      for (const pair of view.pairs) {
        const key = keyOf(pair);
        const total = totalOf(before, key);
        if (total !== undefined) expect(Number(pair.packets), `${key} goes back`).to.be.at.least(total);
        if (pair.packetsPerSecond === undefined) continue;
        expect(pair.packetsPerSecond, key).to.be.at.least(0);
        // Where rules are missing, a source is unknown.
        const sent = this.#sentTo(key.slice(key.indexOf('>'))).filter((ms) => ms >= sinceMs).length;
        // A reading takes a moment, which is not in the time between two views.
        expect((pair.packetsPerSecond * elapsedMs) / 1000, `rate of ${key}`).to.be.at.most(sent * 1.5 + 1);
      }
    });
  }

  #sentTo(to: string): number[] {
    return [...this.#sent].filter(([key]) => key.endsWith(to)).flatMap(([, times]) => times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
  }
}

function addPort(vm: string, mac: string): string[] {
  const marks = Object.entries({
    vswitchboard: 'lab',
    'vswitchboard-vm': vm,
    'vswitchboard-nic': '0',
    'attached-mac': mac,
  }).map(([key, value]) => `external_ids:${key}="${value}"`);
  return ['add-port', 'br0', vm, '--', 'set', 'Interface', vm, ...marks];
}

/** How many rules were put back on the bridge so far. */
export function restoredOf({ seen }: Watching): number {
  return seen.at(-1)?.states[0]?.restored ?? 0;
}

/** `web1:0>db1:0` */
function keyOf({ from, to }: Pair): string {
  return `${renderEnd(from)}>${renderEnd(to)}`;
}

export function pairOf(view: PairsView, key: string): Pair | undefined {
  return view.pairs.find((pair) => keyOf(pair) === key);
}

/** Packets of a pair; `undefined` where it is not shown. */
export function totalOf(view: PairsView, key: string): number | undefined {
  const pair = pairOf(view, key);
  return pair && Number(pair.packets);
}

function sumOf(all: readonly Pair[]): bigint {
  return all.reduce((sum, { packets = 0n }) => sum + packets, 0n);
}

function render(view: PairsView | undefined): string {
  const pairs = view?.pairs.map((pair) => `${keyOf(pair)} ${String(pair.packets)} ${pair.quality}`);
  return JSON.stringify({
    pairs,
    states: view?.states,
    lost: view?.losses.map(({ error }) => error.message),
  });
}
