// What a blog does with a pasted link: asks where the link leads how to show it.
const { weir, channel } = document.currentScript.dataset;
const link = `${weir}/${channel}`;
fetch(`${weir}/oembed?url=${encodeURIComponent(link)}&maxwidth=640`)
  .then(async (response) => {
    if (!response.ok) throw new Error(`${response.status}`);
    const { title, author_name: author, html } = await response.json();
    document.querySelector('#title').textContent = title;
    document.querySelector('#said').textContent = `by ${author}`;
    document.querySelector('#player').innerHTML = html;
  })
  .catch((error) => { document.querySelector('#said').textContent = `${link} can't be shown here: ${error.message}`; });
