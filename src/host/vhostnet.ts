/** Whether the kernel can serve a tap by itself (vhost_net). */
import { access, constants } from 'node:fs/promises';

const DEVICE = '/dev/vhost-net';

/** @returns why not, and what to do about it; `undefined` where it can. Root needs no more than the device. */
export async function vhostNetObstacle(device = DEVICE): Promise<string | undefined> {
  try {
    await access(device, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      return `there is no ${device}. Run "modprobe vhost_net"; a kernel that does not know it was built without CONFIG_VHOST_NET`;
    return `${device} cannot be opened (${message}). Run as root, or as a member of its group`;
  }
}
