/** What every verb needs to know of its surroundings: flags, else the environment, else defaults. */
import { fail } from '../errors.ts';
import { parseRemotes } from '../jsonrpc/remote.ts';
import type { TlsFiles } from '../jsonrpc/tls.ts';

export interface Settings {
  /** OVSDB remote, or several with commas, as ConnectOptions has it. */
  readonly remote: string;
  /** For a remote with TLS. */
  readonly tls: TlsFiles | undefined;
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
  readonly privateKey?: string | undefined;
  readonly certificate?: string | undefined;
  readonly caCert?: string | undefined;
  readonly ovsRundir?: string | undefined;
  readonly netns?: string | undefined;
  readonly runDir?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/** Debian's and Ubuntu's rundir of Open vSwitch; OVS_RUNDIR is what its own tools read (ovs-vsctl(8)). */
const DEFAULT_OVS_RUNDIR = '/var/run/openvswitch';
/** Cleared at boot, as guests are. */
const DEFAULT_RUN_DIR = '/run/vswitchboard';

/**
 * Flags (which stand for their VSB_… variables too), then OVS_RUNDIR, then defaults.
 * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED, TLS_FILES_INCOMPLETE
 */
export function toSettings(flags: SettingFlags, environment: NodeJS.ProcessEnv = process.env): Settings {
  const rundirOfRemote = flags.remote === undefined ? undefined : rundirOf(flags.remote);
  const ovsRundir = flags.ovsRundir ?? environment['OVS_RUNDIR'] ?? rundirOfRemote ?? DEFAULT_OVS_RUNDIR;
  return {
    remote: flags.remote ?? `unix:${ovsRundir}/db.sock`,
    tls: tlsOf(flags),
    ovsRundir,
    netns: flags.netns,
    runDir: flags.runDir ?? DEFAULT_RUN_DIR,
    logLevel: flags.logLevel ?? 'warn',
  };
}

/** All three files or none: with two of them nobody could connect, and the third is then easily overlooked. */
function tlsOf({ privateKey, certificate, caCert }: SettingFlags): TlsFiles | undefined {
  if (privateKey !== undefined && certificate !== undefined && caCert !== undefined)
    return { privateKey, certificate, caCertificate: caCert };
  const named = { '--private-key': privateKey, '--certificate': certificate, '--ca-cert': caCert };
  const missing = Object.entries(named).flatMap(([flag, file]) => (file === undefined ? [flag] : []));
  if (missing.length < 3) throw fail('TLS_FILES_INCOMPLETE', { missing });
  return undefined;
}

/** Open vSwitch has its sockets in one directory. */
function rundirOf(remote: string): string | undefined {
  const [path] = parseRemotes(remote).flatMap((each) => (each.method === 'unix' ? [each.path] : []));
  return path === undefined ? undefined : dirOf(path);
}

function dirOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash > 0 ? path.slice(0, slash) : '.';
}
