import pytest
import torch

from gansearch.gan.tasks.table_networks import MixedRow, Row

PARTS = [(0, True), (3, False), (2, True), (0, True)]


def test_a_mixed_row_has_one_choice_a_column_and_numbers_behind_the_first():
    torch.manual_seed(0)
    x = torch.randn(200, 8)
    row = MixedRow(PARTS)(x)
    assert torch.equal(row[:, 0], x[:, 0])
    assert torch.equal(row[:, 7], x[:, 7])
    for block in (row[:, 1:4], row[:, 4:6]):
        assert torch.allclose(block.max(1).values, torch.ones(200))
        assert torch.allclose(block.sum(1), torch.ones(200))
    assert torch.allclose(row[:, 6], x[:, 6] * row[:, 4])


def test_choices_are_drawn_as_often_as_their_logits_say_and_have_gradients():
    torch.manual_seed(0)
    logits = torch.tensor([[0.6, 0.3, 0.1]]).log().repeat(4_000, 1).requires_grad_()
    for layer in (MixedRow([(3, False)]), Row([3])):
        drawn = layer(logits)
        assert drawn.mean(0).tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
        (gradient,) = torch.autograd.grad(drawn[:, 0].sum(), logits)
        assert float(gradient[:, 0].sum()) > 0 > float(gradient[:, 1].sum())


def test_half_precision_is_drawn_in_full():
    drawn = MixedRow(PARTS)(torch.randn(400, 8).half())
    assert drawn.dtype == torch.float32
    assert torch.allclose(drawn[:, 1:4].sum(1), torch.ones(400))


def test_a_mixed_row_moves_with_its_network():
    row = MixedRow(PARTS).to("meta")
    assert {indices.device.type for indices in (row.choices, row.places, row.gates)} == {"meta"}
    assert MixedRow(PARTS).double()(torch.randn(2, 8).double()).dtype == torch.float64


def test_the_number_gives_its_gradient_to_the_choice_before_it():
    x = torch.zeros(50, 3, requires_grad=True)
    MixedRow([(2, True)])(x)[:, 2].sum().backward()
    assert set(x.grad[:, 2].tolist()) == {0.0, 1.0}


def test_rows_of_numbers_alone_are_left_as_they_are():
    x = torch.randn(4, 2)
    assert torch.equal(MixedRow([(0, True), (0, True)])(x), x)
