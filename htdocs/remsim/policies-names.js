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
		this.file = el('input', { type: 'file', accept: '.csv,.tsv,.txt,.gz,text/csv' });
		this.about = { source: el('input', { type: 'text', maxlength: 200, autocomplete: 'off' }), attribution: el('input', { type: 'text', maxlength: 500, autocomplete: 'off' }), date: el('input', { type: 'date' }) };
		this.sent = el('p', { role: 'status' });
		this.bring = el('button.remsim-primary', { type: 'submit' }, t('Import'));
		const line = (word, input, help) => el('label', {}, el('span', {}, word), input, help ? el('small.remsim-muted', {}, help) : null);
		this.root = el('div.remsim-stack', {},
			el('section.remsim-panel', { 'aria-label': t('Names and applications') }, el('header', {}, el('h2', {}, t('Names and applications'))),
				el('p.remsim-help', {}, t('The kernel knows addresses, not names. These rungs find out which address belongs to which name; the first that knows is enough. What is learned from a flow holds from the next one on.')), this.rungs,
				options.links?.page && !options.readonly ? el('p', {}, el('a', { href: `${options.links.page('links')}#tab=settings` }, t('Switch rungs on and off'))) : null,
				el('p.remsim-note', {}, el('strong', {}, t('Encrypted Client Hello:')), ' ', t('a server that uses it hides its name, and only the name of its hosting company can be seen. Then the DNS of the router is the one rung that tells, and only for devices that ask it. A policy by name misses the rest.'))),
			el('section.remsim-panel', { 'aria-label': t('Countries') }, el('header', {}, el('h2', {}, t('Countries'))), this.countries,
				options.readonly ? null : el('form.remsim-upload', { submit: event => { event.preventDefault(); this._read(); } },
					line(t('A list of addresses by country (CSV)'), this.file, t('Lines such as 192.0.2.0,192.0.2.255,DE or 192.0.2.0/24,DE; packed by gzip too.')),
					line(t('Where it is from'), this.about.source), line(t('Attribution'), this.about.attribution, t('The words that its licence asks for; they are shown beside the countries.')),
					line(t('Date'), this.about.date, t('Needed only where the list does not say itself of when it is.')), el('div', {}, this.bring)), this.sent, this.error));
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
		el('p.remsim-help', {}, t(help)), el('p.remsim-help', {}, [why && rung.why !== 'switched off' && `${why.replace(/\.$/, '')}.`, rung.cost ? t('Cost: %s', t(rung.cost)) : '', rung.missed ? t('Missed: %s', t(rung.missed)) : ''].filter(Boolean).join(' ')));
	}

	async _load() {
		const { t, request, store, options } = this._ctx;
		try {
			const found = await request('policies/countries'), { countries = [] } = found;
			const facts = [[t('Source'), found.source], [t('Date'), found.date || t('not known')], [t('Imported'), found.imported_at && moment(epoch(found.imported_at), store.now(), false)], [t('Attribution'), found.attribution]];
			fill(this.countries,
				countries.length ? [
					el('p', {}, el('strong', {}, t('%s countries', countries.length))),
					el('dl.remsim-facts', {}, facts.filter(([, value]) => value).map(([word, value]) => el('div', {}, el('dt', {}, word), el('dd', {}, value)))),
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
		if (!file) {
			this.error.hidden = false;
			setText(this.error, t('Choose the file of the list first.'));
			this.file.focus();
			return;
		}
		this.bring.disabled = true;
		try {
			setText(this.sent, t('%s is being read …', file.name));
			const about = Object.fromEntries(Object.entries(this.about).map(([name, input]) => [name, input.value.trim()]).filter(([, value]) => value));
			const answer = await this._send(file, { source: file.name, ...about });
			setText(this.sent, t('✓ %s countries were read.', answer.countries.length));
			this.file.value = '';
			Object.values(this.about).forEach(input => { input.value = ''; });
			await this._load();
		} catch (error) {
			setText(this.sent, '');
			this.error.hidden = false;
			setText(this.error, errorText(error));
		} finally {
			this.bring.disabled = false;
		}
	}

	/** As JSON like all else, or as it is. */
	async _send(file, about) {
		const { t, request, options } = this._ctx, isPacked = /\.gz$/i.test(file.name);
		const content = isPacked ? new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))) : file;
		const text = file.size < LARGEST_JSON ? await content.text() : null;
		if (text !== null && text.length < LARGEST_JSON)
			return request('policies/countries', { method: 'POST', body: { csv: text, ...about } });
		if (options.throughLuci)
			throw new Error(t('This list is larger than LuCI passes on. Copy it to the router and run: remsim policy countries import FILE'));
		const answer = await fetch(options.apiUrl('policies/countries', about), { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': isPacked ? 'application/gzip' : 'text/csv' }, body: file }), told = await answer.json();
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
