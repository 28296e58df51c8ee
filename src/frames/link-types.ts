// Where the IP packet begins in a captured frame, by LINKTYPE_*.

const ETHERNET = 1;
const NULL = 0;
const LOOP = 108;
const LINUX_SLL = 113;
const LINUX_SLL2 = 276;
/** Of the IP header: LINKTYPE_RAW and the values that BSDs gave it, LINKTYPE_IPV4, LINKTYPE_IPV6. */
const RAW = new Set([101, 12, 14, 228, 229]);

const ETHERTYPES = new Set([0x0800, 0x86dd]);
/** AF_INET, and AF_INET6 of Linux, the BSDs and Darwin. */
const ADDRESS_FAMILIES = new Set([2, 10, 24, 28, 30]);

/** `ethernet`: the whole frame is one; `ip`: IP begins at `offset`. */
export type IpLink = { readonly kind: 'ethernet' } | { readonly kind: 'ip'; readonly offset: number };

/** `other`: no IP inside; undefined: this link type is not known. */
export type Link = IpLink | { readonly kind: 'other' } | undefined;

export const LINK_TYPES_TEXT = 'Ethernet (1), raw IP (101, 228, 229), Linux cooked (113, 276), null and loop (0, 108)';

export function linkOf(linkType: number, frame: Uint8Array): Link {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (linkType === ETHERNET) return { kind: 'ethernet' };
  if (RAW.has(linkType)) return { kind: 'ip', offset: 0 };
  if (linkType === LINUX_SLL) return behind(view, 16, () => ETHERTYPES.has(view.getUint16(14)));
  if (linkType === LINUX_SLL2) return behind(view, 20, () => ETHERTYPES.has(view.getUint16(0)));
  if (linkType === LOOP) return behind(view, 4, () => ADDRESS_FAMILIES.has(view.getUint32(0)));
  // the byte order is that of the machine that captured
  if (linkType === NULL)
    return behind(view, 4, () => ADDRESS_FAMILIES.has(view.getUint32(0)) || ADDRESS_FAMILIES.has(view.getUint32(0, true)));
  return undefined;
}

function behind(view: DataView, header: number, isIp: () => boolean): Link {
  return view.byteLength >= header && isIp() ? { kind: 'ip', offset: header } : { kind: 'other' };
}
