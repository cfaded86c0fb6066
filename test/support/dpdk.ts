/**
 * An Open vSwitch with DPDK of the test's own, without huge pages: ovsdb-server and ovs-vswitchd-dpdk in a directory and a
 * network namespace. The package's daemon lies beside the ordinary one and is run by its path, so that no other test
 * gets it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOrFail } from '../../src/process/run.ts';
import { runningProcess, terminate } from '../../src/process/pidfile.ts';

const LIMIT_MS = 30_000;
const DAEMON = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk';
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

export interface DpdkSandbox extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  vsctl(...args: readonly string[]): Promise<string>;
}

export async function startDpdkSandbox(): Promise<DpdkSandbox> {
  const directory = await mkdtemp(join(tmpdir(), 'vsb-d'));
  const netns = `vsb-d${randomBytes(4).toString('hex')}`;
  const env = { OVS_RUNDIR: directory, OVS_LOGDIR: directory, OVS_DBDIR: directory };
  const oracle = (program: string, args: readonly string[], inNetns?: string): Promise<string> =>
    runOrFail(program, args, { timeoutMs: LIMIT_MS, env, netns: inNetns });
  const vsctl = (...args: readonly string[]): Promise<string> =>
    oracle('ovs-vsctl', ['--timeout=20', ...args]);
  const quiet = ['-vconsole:off', '-vsyslog:off', '--no-chdir', '--detach'];
  const daemonOf = (program: string): readonly string[] => [
    `--pidfile=${join(directory, `${program}.pid`)}`,
    `--log-file=${join(directory, `${program}.log`)}`,
    ...quiet,
  ];
  await oracle('ip', ['netns', 'add', netns]);
  await oracle('ip', ['link', 'set', 'lo', 'up'], netns);
  await oracle('ovsdb-tool', ['create', join(directory, 'conf.db'), SCHEMA]);
  await oracle('ovsdb-server', [
    join(directory, 'conf.db'),
    `--remote=punix:${join(directory, 'db.sock')}`,
    ...daemonOf('ovsdb-server'),
  ]);
  await vsctl(
    '--no-wait',
    ...['--', 'init'],
    ...['--', 'set', 'Open_vSwitch', '.', 'other_config:dpdk-init=true', 'other_config:pmd-cpu-mask=1'],
    ...['other_config:per-port-memory=true'],
    `other_config:dpdk-extra="--no-huge --legacy-mem -m 256 --no-pci --file-prefix=${netns}"`,
  );
  const socket = `--unixctl=${join(directory, 'ovs-vswitchd.ctl')}`;
  await oracle(DAEMON, [`unix:${join(directory, 'db.sock')}`, socket, ...daemonOf('ovs-vswitchd')], netns);
  return {
    env: { VSB_REMOTE: `unix:${join(directory, 'db.sock')}`, VSB_OVS_RUNDIR: directory, VSB_NETNS: netns },
    vsctl,
    async [Symbol.asyncDispose]() {
      for (const [pidFile, program] of [
        ['ovs-vswitchd', 'ovs-vswitchd-dpdk'],
        ['ovsdb-server', 'ovsdb-server'],
      ] as const) {
        const daemon = await runningProcess(join(directory, `${pidFile}.pid`), program);
        if (daemon) await terminate(daemon, { termMs: 5000 });
      }
      await oracle('ip', ['netns', 'del', netns]);
      await rm(`/var/run/dpdk/${netns}`, { recursive: true, force: true });
      await rm(directory, { recursive: true });
    },
  };
}
