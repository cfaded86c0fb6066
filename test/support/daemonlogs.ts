/** What the logs of Open vSwitch's daemons say that no test announced; and the logs themselves where a test failed. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Lines of level WARN and above that say nothing about what is tested. */
const HARMLESS: readonly RegExp[] = [
  // There is no kernel datapath on the machine.
  /Generic Netlink family 'ovs_\w+' does not exist/,
  /failed to enumerate system datapaths/,
  // A loaded machine.
  /Unreasonably long \d+ms poll interval/,
  /faults: \d+ (minor|major)/,
  /context switches: \d+ voluntary/,
  /disk: \d+ reads, \d+ writes/,
  /Dropped \d+ log messages in last/,
  // ovs-vsctl leaves with updates still on their way to it.
  /\(Broken pipe\)|send error: Broken pipe/,
  // Whoever leaves the database with an update unread resets the connection.
  /\|(jsonrpc|reconnect)\|WARN\|unix#\d+: .*Connection reset by peer/,
];

/** `2026-01-01T00:00:00.000Z|00012|bridge|WARN|text` (ovs-appctl(8), vlog). */
const LOUD = /^[^|]*\|\d+\|[^|]*\|(WARN|ERR|EMER)\|/;

/** The logs of one sandbox, by file name. */
export type Logs = Readonly<Record<string, string>>;

export async function readLogs(directory: string): Promise<Logs> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.log'));
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? '']));
}

/** Lines of WARN and above that are neither harmless nor announced, each with its file. */
export function unannounced(logs: Logs, announced: readonly RegExp[]): string[] {
  const known = [...HARMLESS, ...announced];
  return Object.entries(logs).flatMap(([name, text]) =>
    text
      .split('\n')
      .filter((line) => LOUD.test(line) && !known.some((pattern) => pattern.test(line)))
      .map((line) => `${name}: ${line}`),
  );
}

/** Writes logs where a person can read them after the sandbox is gone. @returns the directory */
export async function keepLogs(name: string, logs: Logs): Promise<string> {
  const directory = keptIn(name);
  await mkdir(directory, { recursive: true });
  for (const [file, text] of Object.entries(logs)) await writeFile(join(directory, file), text);
  return directory;
}

const recent: { name: string; logs: Logs }[] = [];

/** Remembers the logs of a sandbox that has gone until its test is known to have passed. */
export function rememberLogs(name: string, logs: Logs): void {
  recent.push({ name, logs });
}

// A hook at the root: it runs after each test of every file that uses a sandbox.
afterEach(function keepLogsOfFailedTest() {
  const gone = recent.splice(0);
  if (this.currentTest?.state !== 'failed') return;
  for (const { name, logs } of gone) {
    mkdirSync(keptIn(name), { recursive: true });
    for (const [file, text] of Object.entries(logs)) writeFileSync(join(keptIn(name), file), text);
    process.stderr.write(`logs of the daemons: ${keptIn(name)}\n`);
  }
});

function keptIn(name: string): string {
  return join(tmpdir(), 'vsb-test-logs', name);
}
