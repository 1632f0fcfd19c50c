/** Diagnostics: which way the data takes, what fails and what to do about it, and a text for a report. */

import { browserChecks } from './browser-checks.js';
import { CopyBox } from './copy.js';
import { el, fill, setText } from './dom.js';
import { epoch, moment } from './format.js';
import { Frame } from './frame.js';
import { serviceChecks } from './service-checks.js';
import { LiveTable } from './table.js';
import { STATE_WORDS, VENDOR_WORDS, msg } from './words.js';

const LOOKS = { ok: msg('good'), warn: msg('look at this'), bad: msg('fails'), info: msg('so it is') };
const SIGNS = { ok: '✓', warn: '▲', bad: '✕', info: '●' };

/** `options` as for dashboard.js; `throughLuci`: requests go through LuCI. */
export async function mount(node, options) {
	const page = new Diagnostics(node, options);
	await page.start();
	return page;
}

class Diagnostics extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-diagnostics');
		const t = this.options.t;
		this.verdict = el('p.remsim-verdict', { role: 'status' });
		this.again = el('button', { type: 'button', click: () => this.check() }, t('Check again'));
		this.browser = el('ul.remsim-checks');
		this.service = el('ul.remsim-checks');
		this.modems = new LiveTable([
			{ label: t('Modem'), text: one => one.name || one.id },
			{ label: t('State'), text: one => t(STATE_WORDS[one.state] || one.state || '–') },
			{ label: t('Device'), text: one => [VENDOR_WORDS[one.vendor] ?? one.vendor, one.model].filter(Boolean).join(' ') },
			{ label: t('Port'), kind: 'mono', text: one => one.port || one.control_port || '–' },
			{ label: t('Place'), kind: 'mono', text: one => one.usb_path || '–' },
			{ label: t('What is wrong'), text: one => [one.problem, one.reason, ...(one.notices || [])].map(told => told?.message ?? told).filter(Boolean).join(' ') || '–' }
		], one => one.id, t('Modems and their ports'));
		this.noModem = el('p.remsim-absent', { hidden: true }, t('No modem is known. The Modems page says what was looked for.'));
		this.errors = el('ul.remsim-errors');
		this.copy = new CopyBox(t, t('Text for a report'));
		const part = (title, ...content) => el('section.remsim-part', {}, el('h2', {}, title), content);
		fill(this.body,
			el('div.remsim-checkhead', {}, this.verdict, this.again),
			el('div.remsim-twoparts', {}, part(t('This browser'), this.browser), part(t('The service'), this.service)),
			part(t('Modems'), this.noModem, this.modems.root),
			part(t('Last errors'), this.errors),
			part(t('A text for a report'), el('p.remsim-help', {}, t('Identities, numbers and addresses are masked. Look through it before you send it.')), this.copy.root),
			el('details.remsim-panel', {}, el('summary', {}, t('What does this mean?')), Object.entries(LOOKS).map(([look, word]) =>
				el(`p.remsim-check-${look}`, {}, el('span.remsim-sign', { 'aria-hidden': 'true' }, SIGNS[look]), ' ', t(word)))));
	}

	async start() {
		await super.start();
		await this.check();
		this._stop.push(this.store.on('link', () => this._showBrowser()));
	}

	/** Ask and look at everything once more. */
	async check() {
		const t = this.options.t;
		this.again.disabled = true;
		setText(this.verdict, t('Checking …'));
		[this.facts, this.browserRows] = await Promise.all([this.options.request('diagnostics').catch(error => error), browserChecks(this)]);
		this.again.disabled = false;
		this._show();
	}

	/** What may have changed by itself: the way of the data. */
	async _showBrowser() {
		if (this._asking)
			return;
		this._asking = true;
		this.browserRows = await browserChecks(this);
		this._asking = false;
		this._show();
	}

	_show() {
		const t = this.options.t, { facts } = this, failed = facts instanceof Error;
		const rows = failed ? [{ name: t('Service'), look: 'bad', text: facts.message, hint: facts.hint }] : serviceChecks(facts, t);
		fill(this.browser, this.browserRows.map(one => this._row(one)));
		fill(this.service, rows.map(one => this._row(one)));
		const bad = [...this.browserRows, ...rows].filter(one => one.look === 'bad').length, warned = [...this.browserRows, ...rows].filter(one => one.look === 'warn').length;
		setText(this.verdict, bad ? t('%s checks fail: see what to do beside each.', bad) : warned ? t('Nothing fails; %s checks deserve a look.', warned) : t('Everything works.'));
		this.verdict.className = `remsim-verdict remsim-check-${bad ? 'bad' : warned ? 'warn' : 'ok'}`;
		if (failed)
			return;
		this.noModem.hidden = facts.modems.length > 0;
		this.modems.root.hidden = !facts.modems.length;
		this.modems.show(facts.modems);
		fill(this.errors, facts.errors.length ? facts.errors.map(event => el('li', {}, el('time', { datetime: event.at }, moment(epoch(event.at), this.store.now())), ` ${event.source}: ${event.message}`))
			: el('li.remsim-absent', {}, t('No error is in the journal.')));
		this.copy.show(`${facts.text}${this.browserRows.map(one => `browser, ${one.name}: ${one.text}`).join('\n')}\n${navigator.userAgent}\n`);
	}

	_row({ name, look, text, hint }) {
		const t = this.options.t;
		return el(`li.remsim-check-${look}`, {}, el('span.remsim-sign', { 'aria-hidden': 'true' }, SIGNS[look]), el('span.remsim-said', {}, t(LOOKS[look])),
			el('b', {}, name), el('span', {}, text), hint ? el('span.remsim-help', {}, hint) : null);
	}
}
