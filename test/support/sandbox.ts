/**
 * A real Open vSwitch for one test or suite: `await using sandbox = await startTestSandbox({ dummy: true })`. At its end
 * the daemons stop, and lines of WARN and above in their logs that nobody announced fail the test.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendSignal, waitForEnd } from '../../src/process/pidfile.ts';
import { runOrFail } from '../../src/process/run.ts';
import {
  daemonsOf,
  environmentOf,
  startDatabase,
  startSwitch,
  type Daemon,
} from '../../src/sandbox/daemons.ts';
import { startSandbox, stopSandbox } from '../../src/sandbox/sandbox.ts';
import { keepLogs, readLogs, rememberLogs, unannounced } from './daemonlogs.ts';

export interface TestSandboxOptions {
  /** ovs-vswitchd in a network namespace of its own, with real devices (datapath_type=netdev). The default. */
  readonly netns?: true;
  /** ovs-vswitchd without devices: any port name, netdev-dummy/receive, time/warp. */
  readonly dummy?: true;
  /** ovsdb-server alone. */
  readonly databaseOnly?: true;
  /** Log lines of WARN and above that this test brings about. */
  readonly announced?: readonly RegExp[];
}

export interface TestSandbox extends AsyncDisposable {
  readonly directory: string;
  /** OVSDB remote, `unix:…/db.sock`. */
  readonly remote: string;
  /** With `<bridge>.mgmt`. */
  readonly rundir: string;
  /** `undefined` without devices (dummy, databaseOnly). */
  readonly netns: string | undefined;
  /** VSB_REMOTE, VSB_OVS_RUNDIR, VSB_NETNS, VSB_RUN_DIR and OVS_RUNDIR, as `vsb sandbox env` gives them. */
  readonly env: Readonly<Record<string, string>>;
  /** Oracles; each returns stdout and fails the test where the program fails. */
  vsctl(...args: readonly string[]): Promise<string>;
  ofctl(...args: readonly string[]): Promise<string>;
  /** Asks ovs-vswitchd, or with `-t TARGET` first, another. */
  appctl(...args: readonly string[]): Promise<string>;
  /** Any program in the sandbox's namespace (where it has one) and environment: `inside('ip', 'link')`. */
  inside(program: string, ...args: readonly string[]): Promise<string>;
  /** SIGKILL, and waits for its end. Announces what the other daemon says about it. */
  kill(program: Daemon['program']): Promise<void>;
  /** Starts a daemon again that was killed. */
  restart(program: Daemon['program']): Promise<void>;
  /** From now on lines that match are expected. */
  announce(...patterns: readonly RegExp[]): void;
}

const LIMIT_MS = 20_000;

export async function startTestSandbox(options: TestSandboxOptions = {}): Promise<TestSandbox> {
  const directory = await mkdtemp(join(tmpdir(), 'vsb-t'));
  const name = `vsb-t${randomBytes(4).toString('hex')}`;
  const datapath =
    options.databaseOnly === true ? 'none' : options.dummy === true ? 'dummy' : ('netdev' as const);
  const netns = datapath === 'netdev' ? name : undefined;
  const place = { directory, datapath, netns } as const;
  const { sandbox } = await startSandbox(place);
  const env = environmentOf(place);
  const announced = [...(options.announced ?? [])];

  async function oracle(program: string, args: readonly string[], inNetns?: string): Promise<string> {
    return runOrFail(program, args, { timeoutMs: LIMIT_MS, env, netns: inNetns });
  }

  return {
    directory,
    remote: sandbox.remote,
    rundir: directory,
    netns,
    env: {
      VSB_REMOTE: sandbox.remote,
      VSB_OVS_RUNDIR: directory,
      OVS_RUNDIR: directory,
      VSB_RUN_DIR: sandbox.guestsDirectory,
      ...(netns === undefined ? {} : { VSB_NETNS: netns }),
    },
    vsctl: (...args) => oracle('ovs-vsctl', ['--timeout=15', ...args]),
    ofctl: (...args) => oracle('ovs-ofctl', ['--timeout=15', ...args]),
    appctl: (...args) => oracle('ovs-appctl', ['--timeout=15', ...args]),
    inside: (program, ...args) => oracle(program, args, netns),
    async kill(program) {
      announced.push(/connection (attempt )?(failed|dropped|closed)|Connection (refused|reset)|Broken pipe/);
      const daemon = (await daemonsOf(place)).find((one) => one.program === program);
      if (!daemon?.running) throw new Error(`${program} does not run`);
      await sendSignal(daemon.running, 'SIGKILL');
      if (!(await waitForEnd(daemon.running, { deadlineMs: LIMIT_MS }))) {
        throw new Error(`${program} does not end`);
      }
    },
    restart: (program) => (program === 'ovsdb-server' ? startDatabase(place) : startSwitch(place)),
    announce(...patterns) {
      announced.push(...patterns);
    },
    async [Symbol.asyncDispose]() {
      const logs = await readLogs(directory);
      await stopSandbox(directory, { force: true });
      await rm(directory, { recursive: true, force: true });
      const loud = unannounced(logs, announced);
      if (loud.length === 0) {
        rememberLogs(name, logs);
        return;
      }
      const kept = await keepLogs(name, logs);
      throw new Error(`the daemons said what no test announced (logs in ${kept}):\n${loud.join('\n')}`);
    },
  };
}
