/** What values mean and what is good: the words of History, of the dashboard's charts and of the Modems page. */

import { el, fill } from './dom.js';
import { number } from './format.js';
import { BANDS } from './quality.js';
import { msg } from './words.js';

/** A chart's or a value's paragraphs; `%s` are the limits of excellent, good and fair that are set on the router. */
const MEANINGS = {
	quality: [msg('One number for how good the connection is: from 75 on it is excellent, 50 good, 25 fair.'),
		msg('Each known value scores 0, 25, 50, 75 or 100, with straight lines between: RSRP at −120, −100, −90, −80, −70 dBm; RSRQ at −25, −20, −15, −10, −5 dB; SINR at −10, 0, 13, 20, 30 dB; latency at 500, 200, 100, 50, 20 ms; loss at 50, 10, 3, 1, 0 %.'),
		msg('The scores count 25 (RSRP), 15 (RSRQ), 30 (SINR), 15 (latency) and 15 (loss) parts, over those that are known; their mean is multiplied by the share of probes that came back.')],
	rsrp: [msg('How strongly the cell’s reference signal arrives. From %s dBm on it is excellent, %s good, %s fair; below that the antenna or its place is worth a look.')],
	rsrq: [msg('How much of all that is received is the wanted signal. From %s dB on it is excellent, %s good, %s fair. It falls when the cell is busy.')],
	sinr: [msg('How far the signal stands above noise and other cells. From %s dB on it is excellent, %s good, %s fair. It limits the speed more than RSRP does.')],
	rssi: [msg('All that is received on the channel, other cells and noise too. Use RSRP to judge the signal; RSSI is for 2G and 3G.')],
	rate: [msg('What went through the modem’s interface, not what could have gone through.')],
	latency: [msg('The way of a probe there and back, and how much it varies. Below 50 ms calls and games are pleasant, above 200 ms pages feel slow.')],
	loss: [msg('Probes that did not come back. 0 % is normal; from 3 % on calls suffer, 100 % is an outage.')],
	temperature: [msg('What the modem’s warmest sensor says. Most modems slow down from 80 to 90 °C on.')],
	usage: [msg('Bytes received and sent by each interface, counted by the router a day of UTC; the operator may count differently. In periods up to two days each hour has a bar, worked out from the throughput.')],
	lost: [msg('How often a modem lost its service. The marks ✕ under the charts stand where it was.')],
	failovers: [msg('How often traffic moved to another modem.')],
	authentication: [msg('How often the network let a modem in, and how often it refused it. Refusals come from the SIM, its contract, or a roaming ban.')]
};
const LIMITS = { rsrp: 'rsrp_dbm', rsrq: 'rsrq_db', sinr: 'sinr_db' };

/** The paragraphs of a value, in the user's language. */
export function meaningOf(id, t) {
	const limits = [...BANDS[LIMITS[id]] || []].reverse().map(limit => number(limit));
	return MEANINGS[id].map(text => t(text, ...limits));
}

/** A fold with the meaning of values; `names`: what each of several is called. It is written when it opens. */
export function meaningFold(t, ids, { look = '', names = [] } = {}) {
	const body = el('div.remsim-meaning');
	const write = () => fill(body, ids.map((id, at) => meaningOf(id, t).map(text => el('p', {}, names[at] ? [el('b', {}, names[at]), ' – '] : null, text))));
	const root = el(`details${look}`, { toggle: () => { if (root.open) write(); } }, el('summary', {}, t('What does this mean?')), body);
	return root;
}
