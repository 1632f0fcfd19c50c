/** One link: its state in a word and a sentence, what it carries, what it costs; its details below. */

import { ask } from './ask.js';
import { el, fill, setText, svg } from './dom.js';
import { bytes, count, number, withUnit } from './format.js';
import { atCapText, capLook, capSwitchSentence, costTexts, linkName, linkSentence, probeText, rateText, stateOf } from './links-words.js';
import { ModemChip } from './modem-chip.js';
import { msg } from './words.js';

const SOURCES = { configured: msg('as configured'), learned: msg('learned') };
const SLOT = 8;

export class LinkRow {
	constructor(ctx, link) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, link });
		const { readonly } = options;
		this.place = el('span.remsim-linkrow-place');
		this.grip = readonly ? el('span.remsim-linkrow-grip', {}, this.place) : el('button.remsim-grip.remsim-linkrow-grip', { type: 'button' }, el('span', { 'aria-hidden': 'true' }, '⠿ '), this.place);
		this.dot = el('span', { 'aria-hidden': 'true' });
		this.word = el('strong');
		this.swatch = el(`span.remsim-linkswatch.remsim-series-${link.index}`, { 'aria-hidden': 'true' });
		this.name = el('h3');
		this.chip = new ModemChip(t);
		this.where = el('span.remsim-muted');
		this.sentence = el('p.remsim-linkrow-sentence');
		this.rates = el('b');
		this.capacity = el('span.remsim-muted');
		this.latency = el('b');
		this.loss = el('span.remsim-muted');
		this.flows = el('b');
		this.share = el('span.remsim-linkrow-share');
		this.cost = el('div.remsim-linkrow-cost');
		this.facts = el('dl.remsim-facts');
		this.tools = readonly ? null : el('div.remsim-tools');
		this.outcome = el('p', { role: 'status' });
		this.details = el('details.remsim-linkrow-more', { toggle: () => this._details() }, el('summary', {}, t('Details')), this.facts, this.tools, this.outcome);
		this.root = el('li.remsim-linkrow', { 'data-name': link.name },
			this.grip,
			el('div.remsim-linkrow-what', {}, el('header', {}, this.dot, this.word, el('span.remsim-linkrow-name', {}, this.swatch, this.name), this.chip.root, this.where), this.sentence),
			el('div.remsim-linkrow-figure', {}, this.rates, this.capacity), el('div.remsim-linkrow-figure', {}, this.latency, this.loss),
			el('div.remsim-linkrow-figure', {}, this.flows, this.share), this.cost, this.details);
		if (this.tools)
			this._tools();
	}

	_tools() {
		const { t, address } = this._ctx, { name } = this.link, title = () => linkName(this.link);
		this.toggle = el('button', { type: 'button', click: () => this._toggle() });
		fill(this.tools, el('a.remsim-button', { href: address('form', { link: name }) }, t('Change')),
			el('button', { type: 'button', click: () => this._act('test', t('%s is being tried …', title())) }, t('Try it now')), this.toggle,
			el('button', { type: 'button', click: () => this._reset() }, t('Move its flows')));
	}

	heard(reading) {
		const modem = this.link.modem && reading.modem === this.link.modem ? this._ctx.store.modems.get(reading.modem) : null;
		if (modem)
			this.chip.update(modem);
	}

	tick() {
		const { t, store } = this._ctx;
		setText(this.sentence, [linkSentence(this.link, store.now(), t), capSwitchSentence(this.link.cap_switch, t)].filter(Boolean).join(' '));
	}

	update(link, place) {
		const { t, store } = this._ctx, [word, look, shape] = stateOf(link), modem = store.modems.get(link.modem);
		this.link = link;
		this.root.className = `remsim-linkrow remsim-linkrow-${look}${this.root.classList.contains('remsim-moving') ? ' remsim-moving' : ''}`;
		setText(this.place, String(place));
		this.grip.setAttribute('aria-label', t('%s, place %s: move it with the arrow keys', linkName(link), place));
		this.dot.className = `remsim-quality-${look}`;
		setText(this.dot, shape);
		this.word.className = `remsim-quality-${look}`;
		setText(this.word, t(word));
		setText(this.name, linkName(link));
		this.chip.root.hidden = !modem;
		if (modem)
			this.chip.update(modem);
		setText(this.where, [link.carrier, link.is_roaming ? t('roaming') : '', link.sim_name || '', modem ? '' : link.interface || link.device || ''].filter(Boolean).join(' · '));
		this.tick();
		const isOn = !['off', 'no_device'].includes(link.state);
		setText(this.rates, isOn ? rateText(link.rx_bps, link.tx_bps) : '–');
		setText(this.capacity, link.down_bps || link.up_bps ? t('of %s', rateText(link.down_bps, link.up_bps)) : isOn ? t('capacity not known yet') : '');
		setText(this.latency, isOn ? withUnit(link.latency_ms, 'ms') : '–');
		setText(this.loss, isOn && link.loss_percent !== null && link.loss_percent !== undefined ? t('%s lost', `${number(link.loss_percent, 1)}\u202f%`) : isOn ? t('not measured') : '');
		setText(this.flows, link.flows === 1 ? t('1 flow') : t('%s flows', count(link.flows)));
		this._share(link);
		this._cost(link.cost, link);
		if (this.toggle)
			setText(this.toggle, link.enabled === false ? t('Switch on') : t('Switch off'));
		if (this.details.open)
			this._details();
	}

	/** Its slots among the sixteen of each ring. */
	_share(link) {
		const { t } = this._ctx, { interactive = null, bulk = null } = link.share_percent || {}, told = `${interactive} ${bulk}`;
		if (told === this._shared)
			return;
		this._shared = told;
		const slots = percent => Math.round((percent || 0) * 16 / 100);
		const strip = (percent, name) => svg('svg', { viewBox: `0 0 ${16 * SLOT} 10`, class: `remsim-slotstrip remsim-series-${link.index}`, role: 'img', 'aria-label': t('%s of 16 places of %s', slots(percent), name) },
			Array.from({ length: 16 }, (_, at) => svg('rect', { x: at * SLOT, y: 1, width: SLOT - 1.5, height: 8, class: at < slots(percent) ? 'remsim-slot-mine' : 'remsim-slot-other' })));
		fill(this.share, [[interactive, t('interactive flows'), t('interactive')], [bulk, t('bulk flows'), t('bulk')]].map(([percent, name, short]) =>
			el('span', {}, strip(percent, name), el('span.remsim-muted', {}, ` ${percent === null ? '–' : `${number(percent)}\u202f%`} ${short}`))));
	}

	_cost(cost, link) {
		const { t } = this._ctx, told = JSON.stringify(cost);
		if (told === this._costTold)
			return;
		this._costTold = told;
		if (!cost) {
			fill(this.cost, el('span.remsim-muted', {}, t('no cap, no price set')));
			return;
		}
		const [look, shape, word] = capLook(cost), percent = cost.cap_bytes ? 100 * cost.used_bytes / cost.cap_bytes : null;
		fill(this.cost,
			percent === null ? el('span', {}, el('b', {}, bytes(cost.used_bytes)), ' ', el('span.remsim-muted', {}, t('no cap')))
				: [el('span', {}, el('b', {}, t('%s of %s', bytes(cost.used_bytes), bytes(cost.cap_bytes))), ' ', el(`span.remsim-quality-${look}`, {}, `${shape} ${t(word)}`)),
					el(`progress.remsim-linkcap.remsim-quality-${look}`, { max: 100, value: Math.min(100, percent), 'aria-label': t('Used of the cap of %s', linkName(link)) })],
			el('span.remsim-linkrow-small.remsim-muted', {}, costTexts(cost, t).join(' · ')));
	}

	_details() {
		const { t, store } = this._ctx, { link } = this;
		const learned = SOURCES[link.capacity_source] ? t(SOURCES[link.capacity_source]) : t('not known yet');
		const rows = [
			link.title && link.title !== link.name ? [t('Its name in policies'), link.name] : null,
			[t('Capacity'), link.down_bps || link.up_bps ? `${rateText(link.down_bps, link.up_bps)}, ${learned}` : learned],
			[t('Probes'), probeText(link.probe, t)],
			link.probe?.problem ? [t('Probe problem'), link.probe.problem] : null,
			[t('Jitter'), withUnit(link.jitter_ms, 'ms', 1)],
			[t('Answered in 7 days'), link.uptime_percent === null || link.uptime_percent === undefined ? '–' : `${number(link.uptime_percent, 2)}\u202f%`],
			[t('Device'), [link.device, link.interface && link.interface !== link.device ? link.interface : ''].filter(Boolean).join(' · ') || '–'],
			[t('Address'), [link.address4, link.address6].filter(Boolean).join(', ') || '–'],
			[t('Gateway'), link.gateway4 || '–'],
			[t('Network'), [link.carrier, link.plmn, link.country].filter(Boolean).join(' · ') || '–'],
			[t('SIM'), link.sim_name || link.sim || '–'],
			[t('Weight · priority'), `${number(link.weight)} · ${number(link.priority)}`],
			atCapText(link.cost, t) ? [t('At the cap'), atCapText(link.cost, t)] : null,
			[t('Tags'), (link.tags || []).join(', ') || '–'],
			[t('Failures since the start'), number(link.failures)],
			link.modem && store.modems.has(link.modem) ? [t('Modem'), el('a', { href: this._ctx.options.links?.modem?.(link.modem, 'signal') || null }, link.modem_name || link.modem)] : null
		].filter(Boolean);
		const told = JSON.stringify(rows.map(([name, value]) => [name, value instanceof Node ? value.textContent : value]));
		if (told === this._factsTold)
			return;
		this._factsTold = told;
		fill(this.facts, rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
	}

	async _toggle() {
		const { t, root } = this._ctx, { link } = this, name = linkName(link);
		if (link.enabled === false) {
			await this._act('enable', t('%s is being switched on …', name));
			return;
		}
		const texts = [link.flows ? t('Its %s flows begin again on other links; what runs over it now is cut.', count(link.flows)) : t('No new flow goes there until it is switched on again.')];
		if (await ask(root, { title: t('Switch %s off?', name), texts, yes: t('Switch off'), t }))
			await this._act('disable', t('%s is being switched off …', name));
	}

	async _reset() {
		const { t, root } = this._ctx, name = linkName(this.link);
		const texts = [t('All its flows are cut, so that programs begin them anew on the link whose turn it is. Downloads and calls break off for a moment.')];
		if (await ask(root, { title: t('Move the flows of %s?', name), texts, yes: t('Cut and move'), t }))
			await this._act('reset_flows', t('The flows of %s are being moved …', name));
	}

	async _act(action, doing) {
		const { t, request, data } = this._ctx, { name } = this.link;
		this.outcome.className = 'remsim-muted';
		setText(this.outcome, doing);
		try {
			const answer = await request(`links/${encodeURIComponent(name)}/actions`, { method: 'POST', body: { action } });
			this.outcome.className = answer.ok === false ? 'remsim-problem' : 'remsim-good';
			setText(this.outcome, answer.message || (action === 'test' ? t('It is probed now: its latency above is fresh.') : t('Done.')));
		} catch (error) {
			this.outcome.className = 'remsim-problem';
			setText(this.outcome, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
		await data.load();
	}
}
