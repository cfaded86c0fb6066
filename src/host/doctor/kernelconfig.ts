/** A kernel's configuration, and whether it has virtio. Pure. */
import { gunzipSync } from 'node:zlib';
import { notOk, ok, type Check } from './check.ts';

/** `CONFIG_…` → built in (`y`) or a module (`m`); what is not set is absent. */
export type KernelConfig = ReadonlyMap<string, 'y' | 'm'>;

/** More than any configuration has (250 kB), and a bound on what a small gzip may become. */
const MAX_BYTES = 16 * 2 ** 20;

/** Reads the text, also in gzip; `undefined` where it is no kernel's configuration. */
export function decodeKernelConfig(bytes: Uint8Array): KernelConfig | undefined {
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  const config = new Map<string, 'y' | 'm'>();
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=([ym])$/gm))
    if (name !== undefined) config.set(name, value === 'm' ? 'm' : 'y');
  return config.size > 0 ? config : undefined;
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return Buffer.from(bytes).toString('utf8');
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8');
  } catch {
    return undefined;
  }
}

/** Whether a guest with this kernel has drivers for a virtio NIC and disk. */
export function judgeVirtio(name: 'virtio-guest' | 'virtio-host', config: KernelConfig | undefined): Check {
  const isGuest = name === 'virtio-guest';
  if (!config)
    return notOk(
      name,
      'warning',
      'the configuration of the running kernel is not to be had (/proc/config.gz, /boot/config-RELEASE)',
      'modprobe configs',
    );
  const missing = ['CONFIG_VIRTIO_PCI', 'CONFIG_VIRTIO_NET', 'CONFIG_VIRTIO_BLK'].filter(
    (option) => !config.has(option),
  );
  if (missing.length > 0) {
    const isNic = missing.some((option) => option !== 'CONFIG_VIRTIO_BLK');
    return notOk(
      name,
      isGuest && isNic ? 'problem' : 'warning',
      `not set: ${missing.join(', ')}`,
      isGuest
        ? 'boot a guest kernel that has them, or write "model: e1000" for its NICs and "bus: ide" for its disks'
        : `boot a kernel built with ${missing.join(', ')}`,
    );
  }
  const isModule = config.get('CONFIG_VIRTIO_NET') === 'm';
  return ok(
    name,
    isModule ? 'virtio NICs and disks, as modules: the initrd needs them' : 'virtio NICs and disks, built in',
  );
}
