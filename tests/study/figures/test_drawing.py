"""What is drawn is what plotly is given, and nothing that several figures share is changed."""

import pytest

from gansearch.study.figures.drawing import Drawing

AXIS = {"ticks": "outside", "title": {"standoff": 8}}


def test_an_update_leaves_what_is_inside_and_what_others_share():
    drawing = Drawing(xaxis=AXIS, yaxis=AXIS, height=100)
    drawing.update(xaxis={"title": {"text": "update"}, "range": [0, 1]}, height=200).update(xaxis={"range": [0, 2]})
    layout = drawing.figure().layout
    assert (layout.xaxis.title.text, layout.xaxis.title.standoff, layout.xaxis.ticks) == ("update", 8, "outside")
    assert layout.xaxis.range == (0, 2)
    assert layout.height == 200
    assert layout.yaxis.title.text is None
    assert AXIS == {"ticks": "outside", "title": {"standoff": 8}}


def test_traces_shapes_and_texts_are_in_the_order_in_which_they_were_added():
    drawing = Drawing()
    drawing.add_bar(x=[1], y=["a"])
    drawing.add_scatter(x=[1, 2], y=[3, 4], line={"width": 2})
    drawing.add_contour(z=[[1, 2], [3, 4]])
    for place in (1, 2):
        drawing.add_shape(type="line", x0=place, x1=place)
        drawing.add_text(text=f"at {place}")
    figure = drawing.figure()
    assert [trace.type for trace in figure.data] == ["bar", "scatter", "contour"]
    assert [shape.x0 for shape in figure.layout.shapes] == [1, 2]
    assert [(text.text, text.showarrow) for text in figure.layout.annotations] == [("at 1", False), ("at 2", False)]


@pytest.mark.parametrize(
    ("entries", "name"),
    [({"linewidth": 2}, "linewidth"), ({"mode": "dots"}, "mode"), ({"line": {"dashes": 1}}, "dashes")],
)
def test_what_plotly_does_not_know_is_refused(entries, name):
    drawing = Drawing()
    drawing.add_scatter(x=[1], y=[1], **entries)
    with pytest.raises(ValueError, match=name):
        drawing.figure()
