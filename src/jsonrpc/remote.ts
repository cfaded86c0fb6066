/** Where an OVSDB server listens, as `ovs-vsctl --db` takes it (ovsdb(7), "Connection Methods"). Pure. */
import { isIPv6 } from 'node:net';
import { fail, type VsbError } from '../errors.ts';

/** A remote that can be connected to. */
export type Remote =
  | { readonly method: 'unix'; readonly text: string; readonly path: string }
  | { readonly method: 'tcp'; readonly text: string; readonly host: string; readonly port: number };

/** ovsdb(7)'s default, registered with IANA. */
const OVSDB_PORT = 6640;
const KNOWN_METHODS = ['ssl', 'punix', 'ptcp', 'pssl', 'db', 'fd'];

/**
 * Reads `unix:PATH`, `tcp:HOST:PORT`, `tcp:[IPV6]:PORT`; the port may be left out (6640).
 * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED
 */
export function parseRemote(text: string): Remote {
  const colon = text.indexOf(':');
  const method = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  if (method === 'unix') {
    if (rest === '') throw invalid(text, 'the path is missing');
    if (rest.includes('\0')) throw invalid(text, 'the path contains a NUL');
    return { method, text, path: rest };
  }
  if (method === 'tcp') return { method, text, ...parseHostAndPort(text, rest) };
  if (KNOWN_METHODS.includes(method)) throw fail('REMOTE_UNSUPPORTED', { remote: text, method });
  throw invalid(text, method === '' ? 'the method is missing' : `"${method}" is no connection method`);
}

function parseHostAndPort(text: string, rest: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(rest);
  if (!match) throw invalid(text, 'after "tcp:" come a host and a port');
  const [, bracketed, plain, portText] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) throw invalid(text, `"${bracketed}" is no IPv6 address`);
  const host = bracketed ?? plain ?? '';
  if (!/^[^\s\0]+$/.test(host)) throw invalid(text, 'the host is missing');
  const port = portText === undefined ? OVSDB_PORT : Number(portText);
  if (port < 1 || port > 65535) throw invalid(text, `${String(port)} is no port`);
  return { host, port };
}

function invalid(remote: string, why: string): VsbError {
  return fail('REMOTE_INVALID', { remote, why });
}
