/**
 * A UDP socket on the loopback address, here or in a network namespace. Node cannot enter a namespace; but a socket stays in
 * the one that it was made in. So a child makes it there and hands it over (child_process, `send` with a handle).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, Socket } from 'node:dgram';
import { once } from 'node:events';
import { fail, toVsbError, type VsbError } from '../errors.ts';
import { packageOf } from './packages.ts';
import { inNetns, netnsFailure } from './netns.ts';

const ADDRESS = '127.0.0.1';
/** Starting Node takes 40 ms; on a loaded machine seconds. */
const LIMIT_MS = 10_000;
/** What the child does: its argument is the address. It goes with us, so it is no orphan where we end first. */
const CHILD = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('error', ({ message }) => process.send({ error: message }));
  socket.bind(0, process.argv[1], () => process.send({}, socket));
  process.on('disconnect', () => process.exit());
`;

/**
 * Opens a socket on a free port of 127.0.0.1. The caller closes it.
 * @param netns the namespace (as `ip netns` names it) that it is to be in; `undefined`: ours
 * @throws COLLECTOR_UNAVAILABLE, NETNS_MISSING, NOT_PERMITTED, PROGRAM_MISSING
 */
export async function openUdpSocket(netns: string | undefined): Promise<Socket> {
  const socket = netns === undefined ? await openHere() : await openIn(netns);
  try {
    await demandReachable(socket);
    return socket;
  } catch (thrown) {
    socket.close();
    throw unavailable(netns, toVsbError(thrown).message);
  }
}

/** A socket can be bound while the loopback device is down, and then hears nothing for ever: so it talks to itself first. */
async function demandReachable(socket: Socket): Promise<void> {
  const arrived = once(socket, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
  arrived.catch(() => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.send('', socket.address().port, ADDRESS, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  await arrived;
}

async function openHere(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, ADDRESS);
  try {
    await once(socket, 'listening');
  } catch (thrown) {
    throw unavailable(undefined, toVsbError(thrown).message);
  }
  return socket;
}

async function openIn(netns: string): Promise<Socket> {
  const { program, args } = inNetns(netns, process.execPath, ['-e', CHILD, ADDRESS]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  try {
    return await handedOver(child, netns);
  } finally {
    if (child.connected) child.disconnect();
  }
}

function handedOver(child: ChildProcess, netns: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let stderr = '';
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(unavailable(netns, `no socket came within ${String(LIMIT_MS)} ms`));
    }, LIMIT_MS);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', (error) => {
      clearTimeout(late);
      reject(startFailed(error));
    });
    child.once('close', (code) => {
      clearTimeout(late);
      const status = code ?? 1;
      const why = stderr.trim() === '' ? `exit status ${String(status)}` : stderr.trim().slice(0, 500);
      reject(netnsFailure(netns, process.execPath, { status, stderr }) ?? unavailable(netns, why));
    });
    child.once('message', (message: unknown, handle: unknown) => {
      clearTimeout(late);
      if (handle instanceof Socket) resolve(handle);
      else reject(unavailable(netns, String(errorIn(message))));
    });
  });
}

function startFailed(error: NodeJS.ErrnoException): VsbError {
  if (error.code === 'ENOENT')
    return fail('PROGRAM_MISSING', { program: 'ip', debianPackage: packageOf('ip') }, { cause: error });
  return fail('PROGRAM_NOT_STARTED', { program: 'ip', why: error.message }, { cause: error });
}

function errorIn(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'error' in message ? message.error : message;
}

function unavailable(netns: string | undefined, why: string): VsbError {
  return fail('COLLECTOR_UNAVAILABLE', { address: ADDRESS, netns, why });
}
