/** Links in words: their states, what each does now, what choosing between them goes by. No elements here. */

import { bitRates, bytes, epoch, lasting, number, withUnit } from './format.js';
import { msg } from './words.js';

const MOST_NAMED = 4;

/** Each state: its word, its look, its shape. */
export const LINK_STATES = {
	up: [msg('Up'), 'excellent', '●'],
	degraded: [msg('Weak'), 'fair', '◐'],
	portal: [msg('Log-in page'), 'poor', '▲'],
	down: [msg('Down'), 'poor', '✕'],
	starting: [msg('Starting'), 'none', '◌'],
	no_device: [msg('No device'), 'none', '○'],
	off: [msg('Off'), 'none', '–']
};

export const ALGORITHMS = {
	adaptive: [msg('adaptive'), msg('Learns what each link carries and gives a flow to the one on which it ends first.')],
	weighted: [msg('by weight'), msg('In proportion to the weights of the links.')],
	measured: [msg('by measured capacity'), msg('In proportion to what each link was measured to carry.')],
	least_connections: [msg('fewest flows'), msg('To the link with the fewest flows for its weight.')],
	latency: [msg('lowest latency'), msg('To the link with the shortest round trip.')],
	throughput: [msg('most free capacity'), msg('To the link with most of its capacity free.')],
	overflow: [msg('overflow'), msg('To the first link until it is full, then to the next.')],
	cheapest: [msg('cheapest first'), msg('To the cheapest link until it is full, then to the next.')],
	thrifty: [msg('cheap and quick'), msg('The cheapest mix of links that is hardly slower than all of them alike.')],
	remaining_data: [msg('remaining data'), msg('In proportion to what is left of the data caps.')],
	failover: [msg('failover only'), msg('To the first link that is up; the others wait.')],
	equal: [msg('equal'), msg('To each link alike.')]
};

export const PERSISTENCES = {
	none: msg('each flow anew'), source: msg('a device keeps its link'), destination: msg('a server keeps its link'),
	source_destination: msg('a device keeps its link towards a server')
};

export const RING_NAMES = { interactive: msg('Interactive flows'), bulk: msg('Bulk flows') };

/** What the service says in one sentence that is always the same: why a link is as it is, why a ring chose so, why no saving is told. */
export const REASONS = [msg('it does not answer'), msg('its device is down'), msg('its modem is not registered for data'), msg('its data cap is used up'), msg('no link is up yet'),
	msg('no link is up: flows are refused'), msg('no link is up: flows are kept on all of them'), msg('no link is there: the router decides'),
	msg('all data caps are used up: the cheapest rate above the cap'), msg('the next policy decides'), msg('there is one link only'), msg('there is no link'), msg('the links are paid in different currencies'),
	msg('the first link alone could not carry it: it has a cap, and nothing is sold above it')];

const AT_CAP = { leave: msg('no new flows'), slow: msg('slowed down'), alert: msg('only an alert'), switch: msg('another eSIM profile') };

/** [word, look, shape] of a link as it stands. */
export function stateOf(link) {
	return LINK_STATES[link.state] || [link.state, 'none', '○'];
}

/** What a person calls it. */
export function linkName(link) {
	return link.title || link.name;
}

/** Whether new flows may go there. */
export function isUsable(link) {
	return ['up', 'degraded'].includes(link.state) && !['soft', 'hard'].includes(link.cost?.state);
}

/** The one sentence of a row. */
export function linkSentence(link, nowS, t) {
	const since = link.since ? lasting(nowS - epoch(link.since)) : null;
	if (link.cost && ['soft', 'hard'].includes(link.cost.state))
		return link.cost.cycle_end ? t('Its data cap is used up: no new flows until %s.', dayAfter(link.cost.cycle_end)) : t('Its data cap is used up: no new flows.');
	if (link.cost?.state === 'slow' && ['up', 'degraded'].includes(link.state))
		return t('Its data cap is used up: it goes on slowly.');
	const reason = link.reason ? t(trimmed(link.reason)) : '';
	switch (link.state) {
		case 'up': {
			const share = link.share_percent || {};
			if (!share.interactive && !share.bulk)
				return since ? t('Up since %s and ready; new flows go to others.', since) : t('Ready; new flows go to others.');
			return since ? t('Carries new flows, up since %s.', since) : t('Carries new flows.');
		}
		case 'degraded': return reason ? t('Works, but not well: %s.', reason) : t('Works, but not well.');
		case 'portal': return t('A log-in page stands before the Internet; no flow goes there.');
		case 'down': return [since ? t('No way out since %s', since) : t('No way out'), reason].filter(Boolean).join(': ') + '.';
		case 'starting': return t('Is being tried out; it carries flows once a few probes were answered.');
		case 'no_device': return reason && link.reason !== 'its device is not there' ? `${reason[0].toUpperCase()}${reason.slice(1)}.` : t('Its device is not there. Plug it in, or correct its settings.');
		case 'off': return t('Switched off; carries nothing.');
		default: return reason;
	}
}

/** What became of a link that changes its eSIM profile at its cap; empty where nothing did. */
export function capSwitchSentence(changed, t) {
	const { state, profile_name: to, from_name: home, until, problem } = changed || {}, why = problem ? trimmed(problem) : '';
	switch (state) {
		case 'going': return t('At its cap: it is changing to the profile %s.', to || '');
		case 'away': return [until ? t('At its cap: changed to the profile %s until %s.', to, dayAfter(until)) : t('At its cap: changed to the profile %s.', to), why ? t('It could not go back yet: %s.', why) : ''].filter(Boolean).join(' ');
		case 'returning': return home ? t('It is going back to the profile %s.', home) : t('It is going back to its profile.');
		case 'refused': return to ? t('It could not change to the profile %s: %s.', to, why) : t('It could not change to another profile: %s.', why);
		case 'left': return until ? t('Its profile was chosen by hand: left alone until %s.', dayAfter(until)) : t('Its profile was chosen by hand.');
		default: return '';
	}
}

/** The sentence over all: what works now. */
export function roomSentence(view, t) {
	const on = view.links.filter(link => link.state !== 'off'), good = on.filter(isUsable), [word] = ALGORITHMS[view.algorithm] || [view.algorithm];
	if (!on.length)
		return t('All links are switched off; traffic goes the way it went without them.');
	if (!good.length && on.some(link => ['up', 'degraded'].includes(link.state) && link.cost?.state === 'soft'))
		return t('All data caps are used up: new flows go where more data is cheapest.');
	if (!good.length && on.some(link => link.state === 'starting'))
		return t('No link is up yet: new flows go to those that are being tried out.');
	if (!good.length && view.last_resort !== 'unreachable' && on.some(link => link.state !== 'no_device'))
		return t('No link works now. New flows wait on the links until one does.');
	if (!good.length)
		return view.last_resort === 'unreachable' ? t('No link works now. New flows are refused until one does.') : t('No link works now. New flows go the router’s default way.');
	const names = good.map(linkName).join(', ');
	if (good.length > MOST_NAMED)
		return t('New flows are shared by %s links: %s.', good.length, t(word));
	return good.length === 1 ? t('%s carries all new flows; there is no other now.', names) : t('New flows are shared by %s: %s.', names, t(word));
}

/** How a ring chooses, in words: `adaptive`, or a policy’s own choices. */
export function ringName(ring, t) {
	return ring.policy ? t('Policy %s', ring.policy) : t(RING_NAMES[ring.klass] || RING_NAMES[ring.name] || ring.name);
}

/** Why a ring chose as it did, in the service's words; a family that goes its own way follows with its own. */
export function choiceText(choice, t) {
	const [first, ...others] = (choice || '').split(/; (?=IPv[46]: )/);
	return [first && t(first), ...others.map(one => `${one.slice(0, 6)}${t(one.slice(6))}`)].filter(Boolean).join('; ');
}

/** Sixteen slots as runs: [{link, slots}] in the links' order. */
export function shares(ring, order) {
	const counts = new Map();
	for (const name of ring.slots)
		counts.set(name, (counts.get(name) || 0) + 1);
	const known = [...order.filter(name => counts.has(name)), ...[...counts.keys()].filter(name => !order.includes(name))];
	return known.map(link => ({ link, slots: counts.get(link) }));
}

/** How its latency is measured and what that costs. */
export function probeText(probe, t) {
	if (!probe)
		return t('not probed');
	const every = probe.period_s !== null && probe.period_s !== undefined ? t('%s every %s', probe.kind, probe.period_s < 1 ? withUnit(probe.period_s * 1000, 'ms') : withUnit(probe.period_s, 's', Number.isInteger(probe.period_s) ? 0 : 1)) : probe.kind;
	return [every, probe.targets?.length ? t('to %s', probe.targets.join(', ')) : '', probe.mb_per_month === null || probe.mb_per_month === undefined ? '' : t('%s MB a month', number(probe.mb_per_month, probe.mb_per_month < 10 ? 1 : 0))].filter(Boolean).join(' · ');
}

/** How near the cap is: [look, shape, word]. */
export function capLook(cost) {
	if (['soft', 'hard'].includes(cost.state))
		return ['poor', '✖', msg('used up')];
	const ahead = cost.forecast_bytes && cost.cap_bytes && cost.forecast_bytes > cost.cap_bytes;
	if (cost.state === 'slow')
		return ['poor', '✖', msg('used up, slowed down')];
	return cost.state === 'warned' || ahead ? ['fair', '▲', ahead ? msg('will not last') : msg('nearly used up')] : ['good', '✓', cost.forecast_bytes ? msg('will last') : msg('within the cap')];
}

/** Both rates of a link in one unit. */
export function rateText(down, up) {
	return `↓ ${bitRates(down, up).replace(' · ', ' ↑ ')}`;
}

/** What happens at a link’s cap; empty where nothing does. */
export function atCapText(cost, t) {
	return cost?.cap_bytes && AT_CAP[cost.at_cap] ? t(AT_CAP[cost.at_cap]) : '';
}

/** What is known of a link’s money and data, as sentences. */
export function costTexts(cost, t) {
	const { cap_bytes: cap, forecast_bytes: forecast, cycle_end: end, spent_minor: spent, forecast_minor: later, currency } = cost;
	const minor = value => `${number(value / 100, 2)}\u202f${currency || ''}`.trim(), isKnown = value => value !== null && value !== undefined;
	return [
		end ? t('resets on %s', dayAfter(end)) : '',
		isKnown(forecast) ? (cap && forecast > cap ? t('about %s by then, %s over', bytes(forecast), bytes(forecast - cap)) : t('about %s by then', bytes(forecast))) : '',
		isKnown(spent) && (spent || later) ? (isKnown(later) && later !== spent ? t('%s so far, about %s by then', minor(spent), minor(later)) : t('%s so far', minor(spent))) : ''
	].filter(Boolean);
}

/** The day on which a cycle begins whose predecessor ends with this one. */
function dayAfter(last) {
	return new Date(Date.parse(String(last).slice(0, 10)) + 86400000).toISOString().slice(0, 10);
}

function trimmed(text) {
	return text.replace(/\.$/, '');
}
