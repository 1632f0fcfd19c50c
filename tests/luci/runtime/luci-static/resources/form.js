'use strict';
'require baseclass';
'require uci';

/* Forms of text options, without validation and saving: enough to open a page with one. */
const Option = baseclass.extend({
	__init__(section, name, title) { Object.assign(this, { section, name, title }); },
	value() {},
	depends() {},
	cfgvalue(sid) { return uci.get(this.section.map.config, sid, this.name); },
	formvalue(sid) { return this.input?.[sid]?.value ?? null; },
	render(sid) {
		this.input ??= {};
		this.input[sid] = E('input', { 'class': 'cbi-input-text', 'value': this.cfgvalue(sid) ?? '' });
		return E('div', { 'class': 'cbi-value' }, [E('label', { 'class': 'cbi-value-title' }, [this.title, this.input[sid]])]);
	}
});

const Section = baseclass.extend({
	__init__(map, sid, title) { Object.assign(this, { map, sid, title, children: [] }); },
	tab() {},
	taboption(_tab, ...rest) { return this.option(...rest); },
	option(Kind, name, title) {
		this.children.push(new Kind(this, name, title));
		return this.children.at(-1);
	},
	render() { return E('div', { 'class': 'cbi-section' }, [E('h3', {}, [this.title]), ...this.children.map(one => one.render(this.sid))]); }
});

/* `sid` is a type: all sections of it. */
const TypedSection = Section.extend({
	render() {
		const found = uci.sections(this.map.config, this.sid).flatMap(one => this.children.filter(option => !option.modalonly).map(option => option.render(one['.name'])));
		return E('div', { 'class': 'cbi-section' }, [E('h3', {}, [this.title]), ...found]);
	}
});

const Map = baseclass.extend({
	__init__(config, title) { Object.assign(this, { config, title, children: [] }); },
	section(Kind, sid, title) {
		this.children.push(new Kind(this, sid, title));
		return this.children.at(-1);
	},
	async render() {
		await uci.load(this.config);
		return E('div', { 'class': 'cbi-map', 'id': `cbi-${this.config}` }, [E('h2', {}, [this.title]), ...this.children.map(one => one.render())]);
	}
});

return baseclass.extend({
	Map, NamedSection: Section, TypedSection, GridSection: TypedSection, Value: Option, Flag: Option, ListValue: Option, DynamicList: Option
});
