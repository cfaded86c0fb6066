/** What every verb needs to know of its surroundings: flags, else the environment, else defaults. */

export interface Settings {
  /** OVSDB remote, `unix:PATH` or `tcp:HOST:PORT`. */
  readonly remote: string;
  /** Where ovs-vswitchd has its management sockets (`<bridge>.mgmt`). */
  readonly ovsRundir: string;
  /** Network namespace of the switch and its devices; `undefined`: the one that vsb runs in. */
  readonly netns: string | undefined;
  /** State of guests and of vsb itself. */
  readonly runDir: string;
  readonly logLevel: LogLevel;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** The flags as the command line has them; `undefined` where a flag was not given. */
export interface SettingFlags {
  readonly remote?: string | undefined;
  readonly ovsRundir?: string | undefined;
  readonly netns?: string | undefined;
  readonly runDir?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/** Debian's and Ubuntu's rundir of Open vSwitch; OVS_RUNDIR is what its own tools read (ovs-vsctl(8)). */
const DEFAULT_OVS_RUNDIR = '/var/run/openvswitch';
/** Cleared at boot, as guests are. */
const DEFAULT_RUN_DIR = '/run/vswitchboard';

/** Flags (which stand for their VSB_… variables too), then OVS_RUNDIR, then defaults. */
export function toSettings(flags: SettingFlags, environment: NodeJS.ProcessEnv = process.env): Settings {
  const rundirOfRemote =
    flags.remote?.startsWith('unix:') === true ? dirOf(flags.remote.slice(5)) : undefined;
  const ovsRundir = flags.ovsRundir ?? environment['OVS_RUNDIR'] ?? rundirOfRemote ?? DEFAULT_OVS_RUNDIR;
  return {
    remote: flags.remote ?? `unix:${ovsRundir}/db.sock`,
    ovsRundir,
    netns: flags.netns,
    runDir: flags.runDir ?? DEFAULT_RUN_DIR,
    logLevel: flags.logLevel ?? 'warn',
  };
}

function dirOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash > 0 ? path.slice(0, slash) : '.';
}
