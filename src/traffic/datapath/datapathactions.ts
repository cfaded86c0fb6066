/**
 * What a datapath does with packets, out of the text that Open vSwitch has for it (format_odp_actions() in its
 * lib/odp-util.c): whom it sends them to. Texts of newer versions may have actions that are not known here. Pure, and
 * linear: each character is looked at once.
 */

/** Where packets go. */
export interface DatapathActions {
  /** Devices they leave at, by name or number, in order; twice where a packet leaves twice. */
  readonly outputs: readonly string[];
  /** `recirc(0x5)`, `tnl_pop(…)`: handled once more, by flows with that id, or as of that tunnel. */
  readonly goesOn: readonly string[];
  /** To a controller, or to another part of ovs-vswitchd. */
  readonly toUserspace: boolean;
}

/** Whatever stands bare is a device, except these. */
const BARE_ACTIONS = new Set(['', 'drop', 'pop_vlan', 'pop_eth', 'pop_nsh', 'ct_clear', 'dec_ttl']);
/** What these hold is done as well. */
const TRANSPARENT = new Set(['clone', 'check_pkt_len', 'gt', 'le']);

/** Reads actions such as `push_vlan(vid=10,pcp=0),br0,pop_vlan,clone(ct(zone=3),recirc(0x5)),web1-0`. Never throws. */
export function parseDatapathActions(text: string): DatapathActions {
  const outputs: string[] = [];
  const goesOn: string[] = [];
  let toUserspace = false;
  /** How many parentheses are open around what counts, and around what does not. */
  let transparent = 0;
  let opaque = 0;
  let start = 0;
  const bare = (end: number): void => {
    const word = text.slice(start, end).trim();
    if (opaque === 0 && !BARE_ACTIONS.has(word) && !word.includes('=')) outputs.push(word);
  };
  for (let at = 0; at <= text.length; at++) {
    const sign = text[at];
    if (sign === '(') {
      const name = text.slice(start, at).trim();
      if (opaque > 0) opaque++;
      else if (TRANSPARENT.has(name)) transparent++;
      else {
        opaque = 1;
        const argument = (): string => text.slice(at + 1, text.indexOf(')', at) >>> 0);
        if (name === 'recirc' || name === 'tnl_pop') goesOn.push(`${name}(${argument()})`);
        if (name === 'lb_output') outputs.push(`lb_output(${argument()})`);
        if (name === 'userspace') toUserspace = true;
      }
      start = at + 1;
    } else if (sign === ')') {
      bare(at);
      if (opaque > 0) opaque--;
      else if (transparent > 0) transparent--;
      start = at + 1;
    } else if (sign === ',' || sign === undefined) {
      bare(at);
      start = at + 1;
    }
  }
  return { outputs, goesOn, toUserspace };
}
