/** States, technologies and bands in the user's words. */

import { epoch, lasting } from './format.js';

/** Marks a text that is translated later, through `t(variable)`: script/po finds it. */
export const msg = text => text;

export const STATE_WORDS = {
	starting: msg('Starting'),
	online: msg('Online'),
	searching: msg('Searching for a network'),
	denied: msg('Refused by the network'),
	limited: msg('Emergency calls only'),
	no_sim: msg('No SIM'),
	sim_pin: msg('SIM PIN wanted'),
	sim_puk: msg('SIM blocked (PUK)'),
	sim_error: msg('SIM error'),
	low_power: msg('Radio off'),
	not_answering: msg('Does not answer'),
	failed: msg('Out of order'),
	boot: msg('In a boot mode'),
	port_busy: msg('Port in use'),
	rebooting: msg('Restarting'),
	gone: msg('Unplugged'),
	paused: msg('Polling off')
};

export const MODE_WORDS = { LTE: 'LTE', NSA: 'LTE + 5G', SA: '5G', UMTS: '3G', GSM: '2G' };

export const VENDOR_WORDS = { quectel: 'Quectel', sierra: 'Sierra', fibocom: 'Fibocom', thales: 'Thales', generic: '' };

/** How far a modem that is not online has got. */
export const STAGE_WORDS = {
	absent: msg('not on the bus'),
	found: msg('found, not yet asked who it is'),
	identified: msg('identified'),
	sim_ready: msg('SIM ready'),
	registered: msg('registered'),
	connected: msg('connected'),
	boot: msg('in a boot mode')
};

/** The name of a line in a chart: whose it is, and which one of theirs. Catalogues keep no blanks around a text. */
export function lineName(name, suffix, t) {
	return suffix ? `${name} ${t(suffix)}` : name;
}

/** The text itself with its values put in: what is used without a translation. */
export function plain(text, ...values) {
	return text.replace(/%s/g, () => String(values.shift() ?? ''));
}

/** How a state looks: ok, busy (will change by itself), problem, off. */
export function stateLook(state) {
	if (state === 'online')
		return 'ok';
	if (['starting', 'searching', 'rebooting'].includes(state))
		return 'busy';
	return ['paused', 'gone'].includes(state) ? 'off' : 'problem';
}

/** Bands in use: `B3 + n78`. */
export function bandText(reading) {
	if (!reading || reading.band === null || reading.band === undefined)
		return '';
	const own = reading.mode === 'SA' ? `n${reading.band}` : `B${reading.band}`;
	return reading.nr_band ? `${own} + n${reading.nr_band}` : own;
}

/** The sentence on top of everything: `Online on LTE + 5G, B3 + n78, since 2 h 14 min`. */
export function stateSentence(modem, nowS, t) {
	const word = t(STATE_WORDS[modem.state] || modem.state);
	const since = modem.state_since ? t('since %s', lasting(nowS - epoch(modem.state_since))) : '';
	if (modem.state !== 'online')
		return [word, since].filter(Boolean).join(', ');
	const mode = modem.reading && MODE_WORDS[modem.reading.mode];
	return [mode ? t('%s on %s', word, mode) : word, bandText(modem.reading), since].filter(Boolean).join(', ');
}
