/** Alerts in the user's words: severities with their shapes, values with their units, a rule as a sentence. */

import { el } from './dom.js';
import { KIND_WORDS } from './event-words.js';
import { lasting, number, withUnit } from './format.js';
import { STATE_WORDS, msg } from './words.js';

/** Shape and word of a severity, of alerts and of events (whose worst is `error`). */
export const SEVERITIES = {
	info: ['●', msg('Info')],
	warning: ['▲', msg('Warning')],
	error: ['✖', msg('Error')],
	critical: ['✖', msg('Critical')]
};

/** A severity as shape and word, so that colour never says it alone. */
export function severityNode(severity, t) {
	const [shape, word] = SEVERITIES[severity] || SEVERITIES.info;
	return el(`span.remsim-severity.remsim-severity-${severity}`, {}, el('span', { 'aria-hidden': 'true' }, `${shape} `), t(word));
}

const DAYS = { mon: msg('Mon'), tue: msg('Tue'), wed: msg('Wed'), thu: msg('Thu'), fri: msg('Fri'), sat: msg('Sat'), sun: msg('Sun') };

/** A value or a limit as people read it: a number with its unit, words of states. */
export function valueText(value, unit, t) {
	if (value === null || value === undefined)
		return '–';
	if (typeof value === 'number')
		return unit ? withUnit(value, unit, Number.isInteger(value) ? 0 : 1) : number(value, Number.isInteger(value) ? 0 : 1);
	if (typeof value === 'boolean')
		return t(value ? 'yes' : 'no');
	return String(value).split(',').map(word => STATE_WORDS[word] ? t(STATE_WORDS[word]) : word).join(` ${t('or')} `);
}

const MEASURES = {
	rsrp_dbm: msg('RSRP'), rsrq_db: msg('RSRQ'), sinr_db: msg('SINR'), rssi_dbm: msg('RSSI'), rscp_dbm: msg('RSCP (3G)'), ecio_db: msg('Ec/Io (3G)'),
	nr_rsrp_dbm: msg('5G RSRP'), nr_rsrq_db: msg('5G RSRQ'), nr_sinr_db: msg('5G SINR'), quality_percent: msg('Connection quality'), latency_ms: msg('Latency'),
	jitter_ms: msg('Jitter'), loss_percent: msg('Loss'), bankd_link_percent: msg('Bank link'), temperature_c: msg('Temperature'), rx_bits_per_s: msg('Download rate'), tx_bits_per_s: msg('Upload rate'),
	rx_bytes: msg('Bytes received'), tx_bytes: msg('Bytes sent'), band: msg('Band'), nr_band: msg('5G band'), pci: msg('PCI'), nr_pci: msg('5G PCI'),
	cell_id: msg('Cell identity'), tac: msg('Tracking area'), earfcn: msg('EARFCN'), arfcn: msg('ARFCN'), nr_arfcn: msg('5G ARFCN'),
	bw_dl_mhz: msg('Bandwidth'), nr_bw_dl_mhz: msg('5G bandwidth'), sim_slot: msg('SIM slot'), state: msg('State'), registration: msg('Registration'),
	rat: msg('Radio technology'), mode: msg('Technology in use'), operator: msg('Operator'), plmn: msg('Operator’s number (PLMN)'), sim_state: msg('State of the SIM'),
	interface: msg('Interface'), cap_percent: msg('Data used of the cap'), at_commands_total: msg('AT commands sent'),
	flash_free_percent: msg('Free space on the flash'), data_free_percent: msg('Free space for the series'), memory_free_percent: msg('Free memory'),
	load_percent: msg('Load of the router'), clock_set: msg('The clock is set')
};
const FIRST = Object.keys(MEASURES);
const UNITS = [['_bits_per_s', 'bit/s'], ['_per_s', '/s'], ['_dbm', 'dBm'], ['_db', 'dB'], ['_ms', 'ms'], ['_c', '°C'], ['_percent', '%'], ['_mhz', 'MHz'], ['_khz', 'kHz'], ['_bytes', 'B'], ['_s', 's']];

/** The unit that a measure's name ends with; null for a plain number. */
export function unitOf(measure) {
	return UNITS.find(([end]) => String(measure).endsWith(end))?.[1] ?? null;
}

/** What a rule looks at: {const, title, unit}; kinds of events as their own words say. */
export function measureOf({ source, measure }, measures) {
	const known = measures?.[source]?.find(one => one.const === measure);
	const title = (source === 'event' ? KIND_WORDS : MEASURES)[measure] || (known?.title !== measure && known?.title) || String(measure || '').replaceAll('_', ' ');
	return { ...known, const: measure, title, unit: known?.unit || unitOf(measure) };
}

/** What a source has, what people ask for most first. */
export function measuresOf(source, measures) {
	const rank = name => FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length;
	const all = (measures?.[source] || []).map(one => measureOf({ source, measure: one.const }, measures));
	return source === 'event' ? all : all.sort((a, b) => rank(a.const) - rank(b.const));
}

/** A rule in one sentence: `RSRP below −110 dBm for 5 min, any modem`. `names`: id of a modem to its name. */
export function ruleSentence(rule, measures, names, t) {
	const { title, unit } = measureOf(rule, measures), what = t(title), limit = valueText(rule.threshold, unit, t);
	const sentence = {
		above: () => t('%s above %s', what, limit),
		below: () => t('%s below %s', what, limit),
		is: () => t('%s is %s', what, limit),
		is_not: () => t('%s is not %s', what, limit),
		count_at_least: () => t('%s at least %s times within %s', what, limit, lasting(rule.window_s)),
		absent: () => t('%s is not known', what)
	}[rule.comparison]?.() ?? what;
	const said = rule.measure === 'clock_set' && rule.comparison !== 'absent' ? t((rule.comparison === 'is') === (rule.threshold === 'yes') ? 'The clock is set' : 'The clock is not set') : sentence;
	const parts = [rule.for_s > 0 ? t('%s for %s', said, lasting(rule.for_s)) : said];
	if (rule.source !== 'router' && rule.source !== 'usage')
		parts.push(rule.modem ? t('only %s', names.get(rule.modem) || rule.modem) : t('any modem'));
	if (rule.days?.length && rule.days.length < 7)
		parts.push(rule.days.map(day => t(DAYS[day] || day)).join(' '));
	if (rule.from_time && rule.to_time)
		parts.push(t('from %s to %s', rule.from_time, rule.to_time));
	return parts.join(', ');
}
