/**
 * A private ovsdb-server on a unix socket in a directory of its own; ended, with its directory, by its owner, and then its
 * log must not say that a message of ours was bad. Several of them as a cluster: ovsdbcluster.ts.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCHEMA = fileURLToPath(new URL('../../src/ovsdb/generated/vswitch.ovsschema', import.meta.url));
const run = promisify(execFile);

export class OvsdbServer implements AsyncDisposable {
  readonly directory: string;
  readonly socketPath: string;
  readonly remote: string;
  readonly #databases: readonly string[];
  readonly #logPath: string;
  readonly #more: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(directory: string, databases: readonly string[], more: readonly string[]) {
    this.directory = directory;
    this.socketPath = join(directory, 'db.sock');
    this.remote = `unix:${this.socketPath}`;
    this.#databases = databases;
    this.#logPath = join(directory, 'ovsdb-server.log');
    this.#more = more;
  }

  /** A running server with an empty database that has its one Open_vSwitch row. */
  static async start(
    options: {
      readonly schemaPath?: string;
      readonly arguments?: readonly string[];
      readonly init?: boolean;
    } = {},
  ): Promise<OvsdbServer> {
    const directory = newDirectory();
    const databasePath = join(directory, 'conf.db');
    execFileSync('ovsdb-tool', ['create', databasePath, options.schemaPath ?? SCHEMA]);
    const server = await OvsdbServer.serve(directory, [databasePath], options.arguments);
    if (options.init !== false) await server.vsctl('init');
    return server;
  }

  /** A running server of these databases, each as ovsdb-server takes it: a file, or `relay:DATABASE:REMOTE`. */
  static async serve(
    directory: string,
    databases: readonly string[],
    more: readonly string[] = [],
  ): Promise<OvsdbServer> {
    const server = new OvsdbServer(directory, databases, more);
    await server.restart();
    return server;
  }

  get runs(): boolean {
    return (
      this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('ovsdb-server does not run');
    return this.#process.pid;
  }

  /** Starts the server again on the same database. */
  async restart(): Promise<void> {
    const watcher = watch(this.directory);
    this.#process = spawn(
      'ovsdb-server',
      [
        ...this.#databases,
        `--remote=punix:${this.socketPath}`,
        `--unixctl=${join(this.directory, 'ctl.sock')}`,
        `--log-file=${this.#logPath}`,
        '-vconsole:off',
        '-vsyslog:off',
        '--no-chdir',
        ...this.#more,
      ],
      { stdio: 'ignore' },
    );
    try {
      // Whatever changes in the directory (socket, log) is a reason to look again.
      while (!(await accepts(this.socketPath))) {
        if (this.#process.exitCode !== null) throw new Error(`ovsdb-server ended: ${this.log()}`);
        await once(watcher, 'change', { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
      }
    } finally {
      watcher.close();
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Ends the server at once, and waits until it is gone. The database file stays. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Waits until a server that was told to exit has ended. */
  async ended(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'exit');
  }

  async vsctl(...args: readonly string[]): Promise<string> {
    return (await run('ovs-vsctl', ['--no-wait', '--timeout=10', `--db=${this.remote}`, ...args])).stdout;
  }

  /** Makes a transaction on the file of the database, while the server does not run. */
  async offline(...operations: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const [path = ''] = this.#databases;
    const { stdout } = await run('ovsdb-tool', [
      'transact',
      path,
      JSON.stringify(['Open_vSwitch', ...operations]),
    ]);
    if (stdout.includes('"error"')) throw new Error(stdout);
  }

  /** A command to the server itself (ovs-appctl(8)). */
  async ctl(...args: readonly string[]): Promise<string> {
    const target = join(this.directory, 'ctl.sock');
    return (await run('ovs-appctl', ['--timeout=10', '-t', target, ...args])).stdout;
  }

  async client(...args: readonly string[]): Promise<string> {
    return (await run('ovsdb-client', ['--timeout=10', ...args], { maxBuffer: 1 << 28 })).stdout;
  }

  log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    const bad = this.log()
      .split('\n')
      .filter((line) => line.includes('bad JSON-RPC message'));
    rmSync(this.directory, { recursive: true, force: true });
    if (bad.length > 0) throw new Error(`ovsdb-server did not understand us:\n${bad.join('\n')}`);
  }
}

/** A directory for one server; disposing of the server removes it. */
export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'vsb-ovsdb-'));
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
