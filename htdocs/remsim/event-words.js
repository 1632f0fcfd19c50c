/** Kinds of events, severities and what an event knows, in the user's words. */

import { el } from './dom.js';
import { number, withUnit } from './format.js';
import { MODE_WORDS, STATE_WORDS, msg } from './words.js';

/** Every kind by the group it is chosen with. */
export const KIND_GROUPS = [
	[msg('Network'), { connect: msg('Came online'), disconnect: msg('Lost service'), registration: msg('Registration'), cell_change: msg('Cell changed'), technology_change: msg('Technology changed'), state: msg('State changed') }],
	[msg('Links'), { failover: msg('Failover'), link_down: msg('Last link failed'), link_up: msg('Link up'), link_state: msg('Link changed'), link_cap: msg('Data cap of a link'), conntrack: msg('Connection table nearly full'), policies: msg('Policies changed') }],
	[msg('SIM'), { sim_state: msg('SIM changed'), sms: msg('SMS') }],
	[msg('eSIM'), { esim_switch: msg('Profile switched'), esim_download: msg('Profile downloaded'), esim_delete: msg('Profile deleted'), esim_notification: msg('Operator told'), esim_rule: msg('Rule decided') }],
	[msg('Remote SIM'), { remote_sim: msg('Remote SIM changed'), bankd_reconnect: msg('Bank link back'), slotmap: msg('Slot map changed'), remsim_server: msg('remsim server'), remsim_client: msg('Remote SIM client'), ionmesh: msg('IonMesh') }],
	[msg('Trouble'), { error: msg('Error'), recovered: msg('Works again'), reboot: msg('Restarted'), vanished: msg('Unplugged'), port_shared: msg('Port in use by another program'), same_imei: msg('Two modems with one IMEI') }],
	[msg('Alerts'), { alert: msg('Alert') }],
	[msg('Devices'), { appeared: msg('Modem found'), moved: msg('Modem at another place'), composition: msg('USB mode changed'), forgotten: msg('Modem forgotten') }],
	[msg('Done by users'), { control: msg('Done by a user'), config: msg('Settings changed') }],
	[msg('Service'), { service_start: msg('Service started'), service_stop: msg('Service stopped'), access: msg('Log-in refused'), clock_jump: msg('Clock was set'), series_recreated: msg('Series begun anew'), journal_recovered: msg('Journal repaired') }]
];

/** The word of each kind. */
export const KIND_WORDS = Object.assign({}, ...KIND_GROUPS.map(([, kinds]) => kinds));

/** A kind in words; one that this page does not know yet under its own name. */
export function kindWord(kind, t) {
	return KIND_WORDS[kind] ? t(KIND_WORDS[kind]) : kind.replaceAll('_', ' ');
}

const FACTS = {
	from: [msg('Before')], to: [msg('After')], rsrp_dbm: [msg('RSRP'), 'dBm', 0], rsrq_db: [msg('RSRQ'), 'dB', 1], sinr_db: [msg('SINR'), 'dB', 1],
	latency_ms: [msg('Latency'), 'ms', 0], loss_percent: [msg('Loss'), '%', 0], pci: [msg('PCI')], cell_id: [msg('Cell identity')],
	band: [msg('Band')], mode: [msg('Technology')], usb_path: [msg('USB place')], usb_id: [msg('USB id')], actor: [msg('By')], registration: [msg('Registration')],
	sim: [msg('SIM')], what: [msg('What')], reason: [msg('Reason')]
};

/** What an event knows beside its message, a row a fact. */
export function factRows(data, t) {
	return Object.entries(data || {}).filter(([, value]) => value !== null).map(([name, value]) => {
		const [label, unit, digits] = FACTS[name] || [name.replaceAll('_', ' ')];
		return el('tr', {}, el('th', { scope: 'row' }, t(label)), el('td', {}, factText(value, unit, digits, t)));
	});
}

function factText(value, unit, digits, t) {
	if (typeof value === 'number')
		return unit ? withUnit(value, unit, digits) : number(value, Number.isInteger(value) ? 0 : 1);
	if (typeof value === 'boolean')
		return t(value ? 'yes' : 'no');
	if (typeof value === 'object')
		return JSON.stringify(value);
	return MODE_WORDS[value] || (STATE_WORDS[value] ? t(STATE_WORDS[value]) : value);
}
