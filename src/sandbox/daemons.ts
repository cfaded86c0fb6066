/**
 * The two daemons of a sandbox, started and stopped one by one; each keeps pid file, log and sockets in the sandbox's
 * directory. Their order is sandbox.ts's.
 */
import { access, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fail } from '../errors.ts';
import { runningProcess, terminate, waitForEnd, type ProcessMark } from '../process/pidfile.ts';
import { run, runOrFail } from '../process/run.ts';
import { uuidFromNames } from '../units/uuid.ts';
import type { SandboxState } from './state.ts';

/** Each step takes 50 ms on an idle machine; this is for one with all cores taken. */
const START_TIMEOUT_MS = 20_000;
/** `exit --cleanup` took 27 s with 5,000 patch ports. */
const EXIT_DEADLINE_MS = 60_000;
const TERM_MS = 5000;

/** Where packages and `make install` put the schema. */
const SCHEMA_PATHS = [
  '/usr/share/openvswitch/vswitch.ovsschema',
  '/usr/local/share/openvswitch/vswitch.ovsschema',
] as const;

/** What a daemon needs to know of its sandbox. */
export type DaemonPlace = Pick<SandboxState, 'directory' | 'datapath' | 'netns'>;

/** A daemon that the sandbox should have. */
export interface Daemon {
  readonly program: 'ovsdb-server' | 'ovs-vswitchd';
  readonly pidFile: string;
  /** `undefined` where it does not run. */
  readonly running: ProcessMark | undefined;
}

/** The daemons that a sandbox should have, in the order in which they end. */
export async function daemonsOf(place: DaemonPlace): Promise<readonly Daemon[]> {
  const programs =
    place.datapath === 'none' ? (['ovsdb-server'] as const) : (['ovs-vswitchd', 'ovsdb-server'] as const);
  return Promise.all(
    programs.map(async (program) => {
      const pidFile = pidFileOf(place, program);
      // The pid file's path is on its command line: no other Open vSwitch is taken for this one.
      const running = await runningProcess(pidFile, program, `--pidfile=${pidFile}`);
      return { program, pidFile, running };
    }),
  );
}

/** Makes an empty database. */
export async function createDatabase(place: DaemonPlace, signal: AbortSignal | undefined): Promise<void> {
  const args = ['create', databaseOf(place), await findSchema()];
  await runOrFail('ovsdb-tool', args, { timeoutMs: START_TIMEOUT_MS, signal });
}

/** Starts ovsdb-server, waits until it answers, and fills in what ovs-ctl(8) would. */
export async function startDatabase(place: DaemonPlace, signal?: AbortSignal): Promise<void> {
  const { directory } = place;
  const options = { timeoutMs: START_TIMEOUT_MS, env: environmentOf(place), signal };
  await runOrFail(
    'ovsdb-server',
    [
      databaseOf(place),
      `--remote=punix:${directory}/db.sock`,
      '--remote=db:Open_vSwitch,Open_vSwitch,manager_options',
      ...daemonFlags(place, 'ovsdb-server'),
    ],
    options,
  );
  const version = await versionOfSwitch(place, signal);
  await runOrFail(
    'ovs-vsctl',
    [
      ...['--no-wait', '--timeout=15', '--', 'init', '--', 'set', 'Open_vSwitch', '.'],
      ...(version === undefined ? [] : [`ovs_version=${JSON.stringify(version)}`]),
      `external_ids:system-id=${uuidFromNames('sandbox', directory)}`,
      `external_ids:hostname=${JSON.stringify(hostname())}`,
      `external_ids:rundir=${JSON.stringify(directory)}`,
      // Without it, guests with default offloads can ping but not talk TCP: they leave checksums to the switch, which
      // passes them on unfinished. ovs-vswitchd reads it only once, when it starts.
      'other_config:userspace-tso-enable=true',
    ],
    options,
  );
}

/** Starts ovs-vswitchd, and waits until it has read its configuration and written what it can do. */
export async function startSwitch(place: DaemonPlace, signal?: AbortSignal): Promise<void> {
  const options = { timeoutMs: START_TIMEOUT_MS, env: environmentOf(place), signal };
  const dummy = ['--enable-dummy=override', '--disable-system', '--disable-system-route'];
  await runOrFail(
    'ovs-vswitchd',
    [
      `unix:${place.directory}/db.sock`,
      ...(place.datapath === 'dummy' ? dummy : []),
      ...daemonFlags(place, 'ovs-vswitchd'),
    ],
    { ...options, netns: place.netns },
  );
  await runOrFail('ovs-appctl', ['-t', 'ovs-vswitchd', 'version'], options);
  // Types are written after the first configuration: a client that finds none would think it can do nothing.
  await runOrFail(
    'ovs-vsctl',
    ['--timeout=15', '--no-wait', 'wait-until', 'Open_vSwitch', '.', 'datapath_types!=[]', 'iface_types!=[]'],
    options,
  );
}

/** Ends the daemons of a sandbox, gracefully where they answer, and removes what they leave when they do not. */
export async function stopDaemons(place: DaemonPlace): Promise<void> {
  for (const { program, pidFile, running } of await daemonsOf(place)) {
    if (running) {
      // --cleanup: takes its devices and flows with it (ovs-vswitchd(8)).
      const cleanup = program === 'ovs-vswitchd' ? ['--cleanup'] : [];
      // It returns before the daemon is gone, so waiting follows; a daemon that hangs or died meanwhile is seen to there.
      const asked = await run('ovs-appctl', ['-t', program, 'exit', ...cleanup], {
        timeoutMs: EXIT_DEADLINE_MS,
        env: environmentOf(place),
      }).catch(() => undefined);
      const deadlineMs = asked?.status === 0 ? EXIT_DEADLINE_MS : 0;
      if (!(await waitForEnd(running, { deadlineMs }))) await terminate(running, { termMs: TERM_MS });
    }
    await rm(pidFile, { force: true });
  }
}

/** Where Open vSwitch's programs find this sandbox. */
export function environmentOf(place: Pick<SandboxState, 'directory'>): Record<string, string> {
  const { directory } = place;
  return {
    OVS_RUNDIR: directory,
    OVS_LOGDIR: directory,
    OVS_DBDIR: directory,
    OVS_SYSCONFDIR: directory,
  };
}

function daemonFlags(place: DaemonPlace, program: Daemon['program']): string[] {
  return [
    `--pidfile=${pidFileOf(place, program)}`,
    `--log-file=${place.directory}/${program}.log`,
    '-vconsole:off',
    '-vsyslog:off',
    '--no-chdir',
    '--detach',
  ];
}

function pidFileOf(place: Pick<SandboxState, 'directory'>, program: Daemon['program']): string {
  return `${place.directory}/${program}.pid`;
}

function databaseOf(place: Pick<SandboxState, 'directory'>): string {
  return `${place.directory}/conf.db`;
}

/** `ovs-vswitchd (Open vSwitch) 3.1.0`; a database alone does without it. */
async function versionOfSwitch(
  place: DaemonPlace,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (place.datapath === 'none') return undefined;
  const text = await runOrFail('ovs-vswitchd', ['--version'], { timeoutMs: START_TIMEOUT_MS, signal });
  return /\) (\S+)/.exec(text)?.[1];
}

async function findSchema(): Promise<string> {
  for (const path of SCHEMA_PATHS) {
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  throw fail('FILE_UNREADABLE', {
    path: SCHEMA_PATHS[0],
    why: 'it is not there. On Debian and Ubuntu: apt-get install openvswitch-switch',
  });
}
