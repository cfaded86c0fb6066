/** A look at conversations for a test, with packets of known size. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { filter, firstValueFrom, ReplaySubject, timeout, type Subscription } from 'rxjs';
import {
  conversations,
  type ConversationsOptions,
  type ConversationsView,
} from '../../src/app/conversations.ts';
import { toSettings } from '../../src/app/settings.ts';
import type { TestSandbox } from './sandbox.ts';

const LIMIT_MS = 30_000;
export const WEB1 = '52:54:00:10:00:01';
export const DB1 = '52:54:00:10:00:02';

export interface Look extends Disposable {
  /** Every view so far. */
  readonly seen: readonly ConversationsView[];
  /** The first view, seen or to come, for which this is true. */
  until(wanted: (view: ConversationsView) => boolean): Promise<ConversationsView>;
  /** Waits for the end by itself. */
  end(): Promise<ConversationsView>;
}

/** Begins to look; disposing of it unsubscribes. */
export function startLook(sandbox: TestSandbox, options: Partial<ConversationsOptions> = {}): Look {
  const views$ = new ReplaySubject<ConversationsView>();
  const seen: ConversationsView[] = [];
  views$.subscribe({ next: (view) => seen.push(view), error: () => undefined });
  const settings = toSettings(
    { remote: sandbox.remote, ovsRundir: sandbox.rundir, netns: sandbox.netns },
    {},
  );
  const subscription: Subscription = conversations({ settings, everyMs: 50, ...options }).subscribe(views$);
  const ended = new Promise<void>((resolve, reject) => {
    views$.subscribe({ complete: resolve, error: reject });
  });
  ended.catch(() => undefined);
  return {
    seen,
    until: (wanted) => firstValueFrom(views$.pipe(filter(wanted), timeout(LIMIT_MS))),
    end: async () => {
      await ended;
      const last = seen.at(-1);
      if (!last) throw new Error('it ended without a view');
      return last;
    },
    [Symbol.dispose]: () => {
      subscription.unsubscribe();
    },
  };
}

/** What the conversations of a view sum up to. */
export function sumOf({ conversations }: ConversationsView): {
  readonly conversations: number;
  readonly packets: bigint;
  readonly bytes: bigint;
} {
  return {
    conversations: conversations.length,
    packets: conversations.reduce((sum, { packets }) => sum + packets, 0n),
    bytes: conversations.reduce((sum, { bytes }) => sum + bytes, 0n),
  };
}

/** `br0` with the NICs web1:0 (port p1) and db1:0 (port p2), without devices. */
export async function addDummyBridge(sandbox: TestSandbox): Promise<void> {
  const nic = (port: string, vm: string, mac: string): string[] => [
    ...['--', 'add-port', 'br0', port, '--', 'set', 'Interface', port, `external_ids:attached-mac="${mac}"`],
    ...[
      `external_ids:vswitchboard-vm=${vm}`,
      'external_ids:vswitchboard-nic=0',
      'external_ids:vswitchboard=lab',
    ],
  ];
  await sandbox.vsctl('add-br', 'br0', ...nic('p1', 'web1', WEB1), ...nic('p2', 'db1', DB1));
}

/** Packets of 542 bytes from web1 to db1, one for each source port. */
export async function injectFlows(
  sandbox: TestSandbox,
  version: 4 | 6,
  sourcePorts: readonly number[],
): Promise<void> {
  const ip =
    version === 4
      ? 'eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no)'
      : 'eth_type(0x86dd),ipv6(src=fd00::1,dst=fd00::2,label=0,proto=17,tclass=0,hlimit=64,frag=no)';
  const packets = sourcePorts.flatMap((port) => [
    `in_port(1),eth(src=${WEB1},dst=${DB1}),${ip},udp(src=${String(port)},dst=53)`,
    ...['--len', '542'],
  ]);
  for (let start = 0; start < packets.length; start += 3 * MOST_WAITING) {
    const some = packets.slice(start, start + 3 * MOST_WAITING);
    const wanted = (await receivedAt(sandbox)) + some.length / 3;
    await sandbox.appctl('netdev-dummy/receive', 'p1', ...some);
    // It takes 32 at a time, and drops what does not find room.
    while ((await receivedAt(sandbox)) < wanted) continue;
  }
}

/** How many packets wait at a dummy port at most (lib/netdev-dummy.c, NETDEV_DUMMY_MAX_QUEUE). */
const MOST_WAITING = 100;

async function receivedAt(sandbox: TestSandbox): Promise<number> {
  return Number(/rx pkts=(\d+)/.exec(await sandbox.ofctl('dump-ports', 'br0', 'p1'))?.[1]);
}

/** Sends datagrams to a port of 127.0.0.1. */
export async function sendTo(port: number, datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const datagram of datagrams)
    await new Promise((resolve) => {
      socket.send(datagram, resolve);
    });
  socket.close();
}
