/** A private ovsdb-server on a unix socket in a directory of its own; ended, with its directory, by its owner. */
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
  readonly #databasePath: string;
  readonly #logPath: string;
  readonly #more: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(directory: string, more: readonly string[]) {
    this.directory = directory;
    this.socketPath = join(directory, 'db.sock');
    this.remote = `unix:${this.socketPath}`;
    this.#databasePath = join(directory, 'conf.db');
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
    const server = new OvsdbServer(mkdtempSync(join(tmpdir(), 'vsb-ovsdb-')), options.arguments ?? []);
    execFileSync('ovsdb-tool', ['create', server.#databasePath, options.schemaPath ?? SCHEMA]);
    await server.restart();
    if (options.init !== false) await server.vsctl('init');
    return server;
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
        this.#databasePath,
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

  async vsctl(...args: readonly string[]): Promise<string> {
    return (await run('ovs-vsctl', ['--no-wait', '--timeout=10', `--db=${this.remote}`, ...args])).stdout;
  }

  async client(...args: readonly string[]): Promise<string> {
    return (await run('ovsdb-client', ['--timeout=10', ...args], { maxBuffer: 1 << 28 })).stdout;
  }

  log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
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
