/** How names, applications and countries come to addresses: the rungs of the ladder with their cost, and the list of countries. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { count, epoch, moment } from './format.js';
import { RUNGS } from './policies-words.js';
import { errorText } from './remote-data.js';

const LARGEST_JSON = 11 * 1024 * 1024; // larger ones go as they are, where the page may ask the service by itself

export class NamesTab {
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.rungs = el('ol.remsim-rungs');
		this.countries = el('div.remsim-stack');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.file = el('input', { type: 'file', accept: '.csv,.tsv,.txt,.gz,text/csv', change: () => this._read() });
		this.source = el('input', { type: 'text', maxlength: 200, autocomplete: 'off' });
		this.sent = el('p', { role: 'status' });
		this.root = el('div.remsim-stack', {},
			el('section.remsim-panel', { 'aria-label': t('Names and applications') }, el('header', {}, el('h2', {}, t('Names and applications'))),
				el('p.remsim-help', {}, t('The kernel knows addresses, not names. These rungs find out which address belongs to which name; the first that knows is enough. What is learned from a flow holds from the next one on.')), this.rungs,
				options.links?.page && !options.readonly ? el('p', {}, el('a', { href: `${options.links.page('links')}#tab=settings` }, t('Switch rungs on and off'))) : null,
				el('p.remsim-note', {}, el('strong', {}, t('Encrypted Client Hello:')), ' ', t('a server that uses it hides its name, and only the name of its hosting company can be seen. Then the DNS of the router is the one rung that tells, and only for devices that ask it. A policy by name misses the rest.'))),
			el('section.remsim-panel', { 'aria-label': t('Countries') }, el('header', {}, el('h2', {}, t('Countries'))), this.countries,
				options.readonly ? null : el('div.remsim-upload', {}, el('label', {}, el('span', {}, t('A list of addresses by country (CSV)')), this.file), el('label', {}, el('span', {}, t('Where it is from')), this.source), el('p.remsim-help', {}, t('Lines such as 192.0.2.0,192.0.2.255,DE or 192.0.2.0/24,DE. Name the source: many ask for that.'))), this.sent, this.error));
	}

	show() {
		this._load();
	}

	update() {
		const { t, data } = this._ctx, { matching = [] } = data.view, told = JSON.stringify(matching);
		if (told === this._told)
			return;
		this._told = told;
		fill(this.rungs, matching.length ? matching.map(rung => this._rung(rung)) : el('li.remsim-muted', {}, t('No policy asks for a name, so nothing is looked at.')));
	}

	_rung(rung) {
		const { t } = this._ctx, { rung: id, is_there: isThere } = rung, [word, help] = RUNGS[id] || [id, ''];
		const why = rung.why ? t(rung.why) : '';
		const state = rung.is_on ? (isThere === false ? ['poor', t('▲ does not work')] : ['good', t('● on')]) : isThere === false ? ['none', t('○ not possible')] : ['none', t('○ off')];
		return el('li', {}, el('div.remsim-tools', {}, el('b', {}, t(word)), el(`span.remsim-quality-${state[0]}`, {}, state[1]), rung.package && isThere === false ? el('code', {}, rung.package) : null,
			rung.named === null || rung.named === undefined ? null : el('span.remsim-muted', {}, t('%s named', count(rung.named)))),
		el('p.remsim-help', {}, t(help)), el('p.remsim-help', {}, [why && `${why.replace(/\.$/, '')}.`, rung.cost ? t('Cost: %s', t(rung.cost)) : '', rung.missed ? t('Missed: %s', t(rung.missed)) : ''].filter(Boolean).join(' ')));
	}

	async _load() {
		const { t, request, store, options } = this._ctx;
		try {
			const found = await request('policies/countries'), { countries = [] } = found;
			const when = found.date || found.imported_at;
			fill(this.countries,
				countries.length ? [
					el('p', {}, el('strong', {}, t('%s countries', countries.length)), when ? ` · ${t('as of %s', /T/.test(when) ? moment(epoch(when), store.now()) : when)}` : '', found.source ? ` · ${found.source}` : ''),
					found.attribution ? el('p.remsim-muted', {}, found.attribution) : null,
					el('details', {}, el('summary', {}, t('Which ones')), el('ul.remsim-countrylist', {}, countries.map(one => el('li', {}, el('b', {}, one.code), one.name ? ` ${one.name}` : '', el('span.remsim-muted', {}, ` ${count((one.ranges4 || 0) + (one.ranges6 || 0))}`), one.is_used ? el('span.remsim-quality-good', {}, ` ✓ ${t('in use')}`) : null)))),
					options.readonly ? null : el('div', {}, el('button.remsim-danger', { type: 'button', click: () => this._remove() }, t('Delete the list')))
				] : el('p', {}, t('No list of countries is here, so a policy by country fits nothing. remsim brings none along: take one of your choice.')),
				found.problem ? el('p.remsim-problem', {}, found.problem.message || found.problem) : null);
		} catch (error) {
			fill(this.countries, el('p.remsim-problem', {}, errorText(error)));
		}
	}

	async _read() {
		const { t } = this._ctx, [file] = this.file.files;
		this.error.hidden = true;
		if (!file)
			return;
		try {
			setText(this.sent, t('%s is being read …', file.name));
			const answer = await this._send(file, this.source.value.trim() || file.name);
			setText(this.sent, t('✓ %s countries were read.', answer.countries?.length ?? answer.count ?? ''));
			await this._load();
		} catch (error) {
			setText(this.sent, '');
			this.error.hidden = false;
			setText(this.error, errorText(error));
		} finally {
			this.file.value = '';
		}
	}

	/** As JSON like all else, or as it is. */
	async _send(file, source) {
		const { t, request, options } = this._ctx, isPacked = /\.gz$/i.test(file.name);
		const content = isPacked ? new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))) : file;
		const text = file.size < LARGEST_JSON ? await content.text() : null;
		if (text !== null && text.length < LARGEST_JSON)
			return request('policies/countries', { method: 'POST', body: { csv: text, source } });
		if (options.throughLuci)
			throw new Error(t('This list is larger than LuCI passes on. Copy it to the router and run: remsim policy countries import FILE'));
		const answer = await fetch(options.apiUrl('policies/countries', { source }), { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': isPacked ? 'application/gzip' : 'text/csv' }, body: file }), told = await answer.json();
		if (!answer.ok)
			throw Object.assign(new Error(told.detail || told.title), { hint: told.hint });
		return told;
	}

	async _remove() {
		const { t, root, request, failed } = this._ctx;
		if (!await ask(root, { title: t('Delete the list of countries?'), texts: [t('Policies by country fit nothing then.')], yes: t('Delete'), t }))
			return;
		try {
			await request('policies/countries', { method: 'DELETE' });
			setText(this.sent, '');
			await this._load();
		} catch (error) {
			failed(error);
		}
	}
}
