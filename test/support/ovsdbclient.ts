/** A client as most tests want it, and what it says, recorded. */
import { filter, firstValueFrom } from 'rxjs';
import { OvsdbClient, type ConnectOptions, type LinkStatus } from '../../src/ovsdb/client/client.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';

export type Client = OvsdbClient<OpenVSwitchTables>;

export const COLUMNS = {
  Open_vSwitch: ['bridges', 'external_ids'],
  Bridge: ['name', 'ports', 'external_ids'],
  Port: ['name', 'tag'],
  Queue: ['dscp', 'other_config'],
} as const;

/** Pauses short enough for a test: a server that was restarted is found soon. */
export const TEST_LIMITS = {
  connectTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  backoff: { leastMs: 20, mostMs: 200 },
} as const;

/** A client of Open_vSwitch. */
export function connectTo(
  remote: string | readonly string[],
  more: Partial<ConnectOptions<OpenVSwitchTables>> = {},
): Promise<Client> {
  return OvsdbClient.connect({ remote, schema: openVSwitch, columns: COLUMNS, ...TEST_LIMITS, ...more });
}

/** Waits for a status. */
export async function status<A extends LinkStatus['at']>(
  client: { readonly status$: Client['status$'] },
  at: A,
): Promise<LinkStatus & { readonly at: A }> {
  return firstValueFrom(
    client.status$.pipe(filter((now): now is LinkStatus & { readonly at: A } => now.at === at)),
  );
}

/** Waits until it is live at this remote. */
export async function liveAt(client: Client, remote: string): Promise<void> {
  await firstValueFrom(client.status$.pipe(filter((now) => now.at === 'live' && now.remote === remote)));
}

/** Waits until it is live after having been something else: call it before what makes it so. */
export function liveAgain(client: Client): Promise<unknown> {
  let wasDown = false;
  return firstValueFrom(
    client.status$.pipe(
      filter((now) => {
        if (now.at !== 'live') wasDown = true;
        return wasDown && now.at === 'live';
      }),
    ),
  );
}

/** Each change from now on: `insert Bridge br0`; one list for each transaction. */
export function recordChanges(client: Client): string[][] {
  const seen: string[][] = [];
  client.changes$.subscribe((changes) => {
    const lines: string[] = [];
    for (const { table, kind, before, after } of changes) {
      const row = (after ?? before) as { readonly name?: string; readonly dscp?: number };
      lines.push([kind, table, row.name ?? row.dscp].filter((part) => part !== undefined).join(' '));
    }
    seen.push(lines.sort());
  });
  return seen;
}

/** A transaction with a row that needs no other. */
export function addQueue(dscp: number): Transaction<OpenVSwitchTables> {
  const transaction = new Transaction(openVSwitch);
  transaction.insert('Queue', { dscp });
  return transaction;
}

/** The queues there are, by their dscp. */
export function queues(client: Client): readonly number[] {
  return [...client.snapshot().table('Queue').values()].map(({ dscp }) => dscp ?? -1).sort((a, b) => a - b);
}

/** Adds every change from now on up. @returns a check that fails where that is not what the snapshot shows */
export function sumOfChanges(client: Client): () => void {
  const tables = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
  const rowsOf = (): Map<string, unknown> =>
    new Map(
      tables.flatMap((table) =>
        [...client.snapshot().table(table)].map(([uuid, row]) => [`${table} ${uuid}`, row] as const),
      ),
    );
  const sum = rowsOf();
  const problems: string[] = [];
  client.changes$.subscribe((changes) => {
    for (const { table, uuid, kind, before, after } of changes) {
      const key = `${table} ${uuid}`;
      if (sum.get(key) !== before) problems.push(`${kind} ${key} comes with another row before`);
      if (after === undefined) sum.delete(key);
      else sum.set(key, after);
    }
  });
  return () => {
    const rows = rowsOf();
    for (const [key, row] of sum) if (rows.get(key) !== row) problems.push(`${key} is not what it became`);
    if (sum.size !== rows.size) problems.push(`${String(sum.size)} rows became ${String(rows.size)}`);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  };
}
