/** Policies in words: when one is asked, what it has taken, what a question about a flow means. No elements here. */

import { epoch, lasting, number } from './format.js';
import { msg } from './words.js';

export const RESULTS = { matches: ['✓', msg('takes it'), 'good'], no: ['·', msg('does not fit'), 'none'], unknown: ['?', msg('cannot be told'), 'fair'], closed: ['◌', msg('is not asked now'), 'none'], passed: ['→', msg('fits, but does not take it'), 'fair'] };

export const ORIGINS = { uci: msg('from the router’s settings'), remote: msg('pushed') };

/** The ways names and applications are found, cheapest first. */
export const RUNGS = {
	headers: [msg('Addresses and ports'), msg('What the kernel sees by itself.')],
	sip: [msg('Calls by SIP'), msg('The kernel reads what a call is set up with: its voice and video go by the link of the call, as of the same policy.')],
	dnsmasq: [msg('DNS of the router'), msg('dnsmasq puts the addresses of a name into a set when a device asks for it.')],
	dns: [msg('DNS answers'), msg('Answers of any DNS server to the LAN are read, where they are not encrypted.')],
	sni: [msg('First TLS packet'), msg('The server’s name stands in it in clear, unless it is encrypted.')],
	quic: [msg('First QUIC packet'), msg('As with TLS, for HTTP/3.')],
	ndpi: [msg('nDPI'), msg('A library that tells applications by their first packets.')]
};

/** Whether a policy is asked now, and when that changes: [word, look]. `areLinksOff`: none is. */
export function openText(policy, nowS, t, areLinksOff = false) {
	const next = policy.is_open ? policy.closes_at : policy.opens_at, left = next ? epoch(next) - nowS : null;
	if (policy.is_enabled === false)
		return [t('switched off'), 'none'];
	if (areLinksOff)
		return [t('not asked now'), 'none'];
	if (policy.is_open)
		return [left === null ? t('asked now') : left > 0 ? t('asked now, for %s more', lasting(left)) : t('asked now'), 'good'];
	const off = left > 0 ? t('not asked now, again in %s', lasting(left)) : t('not asked now');
	return [policy.closed_why ? `${off}: ${policy.closed_why}` : off, 'none'];
}

/** A problem of a text as one line. */
export function problemText({ line, column, message, expected }, t) {
	const said = line ? t('Line %s, column %s: %s', line, column, sentence(message)) : sentence(message); // of a section of the configuration
	return expected?.length ? `${said} ${t('Possible here: %s.', expected.slice(0, 12).join(', '))}` : said;
}

/** A share in per cent: one digit where it is small. */
export function percentText(value) {
	return value === null || value === undefined ? '–' : `${number(value, value > 0 && value < 10 ? 1 : 0)}\u202f%`;
}

/** What a person types as the place a flow goes to: an address, a name, or what stands in a browser’s bar. */
export function targetOf(typed) {
	const found = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:\[([0-9a-f:.]+)\]|([^/:?#\s]+|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*))(?::(\d{1,5}))?(?:[/?#].*)?$/i.exec(typed.trim());
	if (!found)
		return null;
	const [, scheme, bracketed, host, port] = found, name = bracketed || host, known = { https: 443, http: 80, sip: 5060, sips: 5061, ssh: 22 }[scheme?.toLowerCase()];
	const made = port ? { port: Number(port) } : known ? { port: known } : {};
	return { ...made, [/^[\d.]+$/.test(name) || name.includes(':') ? 'destination' : 'domain']: name };
}

function sentence(text) {
	return /[.!?]$/.test(text) ? text : `${text}.`;
}
